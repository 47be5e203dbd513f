"""Penalties on the gradient of a discriminator. They can be combined with any adversarial loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.losses.adversarial_losses import squared_gradient_norms
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan

_PLACES = ("real", "generated")


@LOSSES.register_module()
class GradientPenaltyLoss(DiscriminatorTerm):
    """Half the squared norm of the gradient of a discriminator's score by its input, averaged over ``passes``.

    It is R1 at real samples, R2 at generated ones, and their sum where ``at`` names both. Put it into the phase of the
    discriminator, beside its ``DiscriminatorLoss``. Its weight is the papers' gamma. The gradient is taken in full
    precision by the condition maps and by the sample as the network gets it, after the augmentation. Where a sample has
    several logits, their mean is its score.

    With ``every=k`` it is computed at every k-th run of its phase only and then weighs k times as much. This costs less
    and has nearly the same effect (lazy regularisation). The log has its value without the weight.

    Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?" (2018), eq. 9 and 10; both at once
    with ``RelativisticLoss``: Huang et al. (2024). Lazy: Karras et al., "Analyzing and Improving the Image Quality of
    StyleGAN" (2020), appendix B.

    Args:
        discriminator: The name of the discriminator.
        at: "real", "generated" or both.
        passes: The passes whose videos are looked at.
        every: 1 or more.
        view: As of ``DiscriminatorLoss``.
        name: The name in the log; by default "<discriminator>_penalty".
        weight: As of ``Loss``.

    Raises:
        ConfigError: For another place, and in a phase that does not update the discriminator.

    Examples:
        >>> penalty = GradientPenaltyLoss("frame", every=4, weight=0.5)
        >>> [penalty.runs_at(iteration) for iteration in range(5)], penalty.weight_at(0)
        ([True, False, False, False, True], 2.0)
    """

    def __init__(
        self,
        discriminator: str,
        at: str | Sequence[str] = ("real",),
        passes: str | Sequence[str] = ("reconstruct",),
        every: int = 1,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_penalty", weight)
        self.at = (at,) if isinstance(at, str) else tuple(at)
        if not self.at or set(self.at) - set(_PLACES):
            raise ConfigError(f"loss '{self.name}' is taken at {' or '.join(map(repr, _PLACES))}, not {self.at}")
        self.every = every
        self._begin, self._stride = 0, 1  # of the iterations at which its phase runs

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` as every term does, and if its phase does not update the discriminator."""
        super().check(model)
        phase = next(phase for phase in model.phases if self in phase.losses)  # each loss belongs to one phase
        own = f"discriminators.{self.discriminator}"
        if not any(path in ("discriminators", own) or path.startswith(f"{own}.") for path in phase.updates):
            raise ConfigError(
                f"loss '{self.name}' regularises discriminator '{self.discriminator}', but phase '{phase.name}' does "
                f"not update it: put it beside the discriminator's DiscriminatorLoss"
            )
        # Runs of the phase are counted by these two: it tells its losses nothing when it runs.
        self._begin, self._stride = phase.begin, phase.every

    def runs_at(self, iteration: int) -> bool:
        """Return true at every ``every``-th run of its phase, unless a schedule is at 0."""
        # The number of this run of the phase, counted from 0, decides.
        return (iteration - self._begin) // self._stride % self.every == 0 and super().runs_at(iteration)

    def weight_at(self, iteration: int) -> float:
        """Return the weight of the schedule times ``every``."""
        return self.every * super().weight_at(iteration)

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |dD(real)/d real|^2 / 2 plus E |dD(fake)/d fake|^2 / 2, or the one of them that ``at`` names."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            real = context.real(name)  # its samples are detached by the norm below
            index, augmentation = view.sample_indices(real), discriminator.sample_augmentation(real)
            # Both places share the indices and the augmentation.
            for place in self.at:
                conditioned = real if place == "real" else context.fake(name, detach=True)
                disc_input = discriminator.prepare_input(conditioned, view, index, augmentation)
                with discriminator.scoring() as score:
                    # (N,) -> (): the mean over what the discriminator sees.
                    terms.append(squared_gradient_norms(score, disc_input).mean() / 2)
        return sum_terms(terms) / len(self.passes)
