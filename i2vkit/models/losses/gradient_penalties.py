"""Penalties on the gradient of a discriminator, beside any adversarial loss."""

from collections.abc import Sequence

from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.losses.adversarial_losses import squared_gradient_norms
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.registry import LOSSES

_PLACES = ("real", "generated")


@LOSSES.register_module()
class GradientPenaltyLoss(DiscriminatorTerm):
    """Half the squared norm of the gradient of a discriminator's score by what it sees: R1 at real samples, R2 at
    generated ones, their sum where ``at`` names both; averaged over ``passes``.

    It stands in the phase of the discriminator, beside its ``DiscriminatorLoss``, and goes with any adversarial loss.
    Its weight is the papers' gamma. The gradient is taken by the sample as the discriminator's network gets it, after
    its augmentation, and by its condition maps, in full precision; of several logits of a sample their mean is the
    score.

    With ``every=k`` it is computed at every k-th run of its phase only and then weighs k times as much, which costs
    less and has nearly the same effect (lazy regularisation). The log has its value without the weight.

    Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?" (2018), eq. 9 and 10; both at once
    with ``RelativisticLoss``: Huang et al. (2024). Lazy: Karras et al., "Analyzing and Improving the Image Quality of
    StyleGAN" (2020), appendix B.

    Args:
        discriminator: its name.
        at: "real", "generated" or both.
        passes: whose videos are looked at.
        every: 1 or more.
        view, name, weight: as of ``DiscriminatorLoss``; the name is "<discriminator>_penalty" by default.

    Raises:
        ConfigError: for another place, an ``every`` below 1, and in a phase that does not update the discriminator.
    """

    def __init__(
        self,
        discriminator: str,
        at: Sequence[str] = ("real",),
        passes: Sequence[str] = ("reconstruct",),
        every: int = 1,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_penalty", weight)
        self.at = (at,) if isinstance(at, str) else tuple(at)
        if not self.at or set(self.at) - set(_PLACES):
            raise ConfigError(f"loss '{self.name}' is taken at {' or '.join(map(repr, _PLACES))}, not {self.at}")
        if every < 1:
            raise ConfigError(f"loss '{self.name}' is computed at every first run of its phase or rarer, not {every}")
        self.every = every
        self._begin, self._stride = 0, 1  # of the iterations at which its phase runs

    def check(self, model) -> None:
        """Raise ``ConfigError`` as every term of a discriminator, and if its phase does not update the
        discriminator.
        """
        super().check(model)
        phase = next(phase for phase in model.phases if self in phase.losses)
        own = f"discriminators.{self.discriminator}"
        if not any(path in ("discriminators", own) or path.startswith(f"{own}.") for path in phase.updates):
            raise ConfigError(
                f"loss '{self.name}' regularises discriminator '{self.discriminator}', but phase '{phase.name}' does "
                f"not update it: put it beside the discriminator's DiscriminatorLoss"
            )
        self._begin, self._stride = phase.begin, phase.every

    def runs_at(self, iteration: int) -> bool:
        """At every ``every``-th run of its phase, unless a schedule is at 0."""
        return (iteration - self._begin) // self._stride % self.every == 0 and super().runs_at(iteration)

    def weight_at(self, iteration: int) -> float:
        """The schedule's weight, times ``every``."""
        return self.every * super().weight_at(iteration)

    def forward(self, context) -> Tensor:
        """E |dD(real)/d real|^2 / 2 + E |dD(fake)/d fake|^2 / 2, of those that are asked for."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            real = context.real(name)
            index, augmentation = view.sample_indices(real), discriminator.sample_augmentation(real)
            for place in self.at:
                conditioned = real if place == "real" else context.fake(name, detach=True)
                disc_input = discriminator.prepare_input(conditioned, view, index, augmentation)
                with discriminator.scoring() as score:
                    terms.append(squared_gradient_norms(score, disc_input).mean() / 2)
        return sum(terms) / len(self.passes)
