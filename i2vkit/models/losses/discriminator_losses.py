"""The two sides of the game between a discriminator and the generator."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.conditions import wrong_past
from i2vkit.models.discriminators.discriminator import Discriminator, wrong_labels
from i2vkit.models.discriminators.networks import repeat_over_time
from i2vkit.models.discriminators.views import ConditionedVideo, View
from i2vkit.models.losses.base import Loss, sum_terms
from i2vkit.registry import LOSSES, VIEWS, build_part

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class DiscriminatorTerm(Loss):
    """A loss that reads a discriminator. The base class of both sides of the game.

    Args:
        discriminator: The name of the discriminator, a key of ``model.discriminators``.
        passes: The passes whose videos it judges.
        view: Config of a view that replaces the discriminator's own in this loss; None takes that of the discriminator.
        name: As of ``Loss``.
        weight: As of ``Loss``.
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str],
        view: dict | None,
        name: str | None,
        weight: float | Sequence,
    ):
        super().__init__(name, weight)
        self.discriminator = discriminator
        self.passes = (passes,) if isinstance(passes, str) else tuple(passes)  # a single name is accepted too
        self.view: View | None = build_part(VIEWS, view)

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the discriminator does not exist, or the view does not show what it judges."""
        if self.discriminator not in model.discriminators:
            raise ConfigError(
                f"loss '{self.name}' asks discriminator '{self.discriminator}'; there are: "
                f"{', '.join(model.discriminators)}"
            )
        discriminator = self.discriminator_of(model)
        view = discriminator.check_view(self.view or discriminator.view)
        if view.encodes_motion:
            model.generator.check_encodes_video()  # views of the motion encode generated videos

    def needs_whole_clip(self, model: "ImageToVideoGan") -> bool:
        """Return true if the view shows clips, or the motion that is encoded from them."""
        view = self.view or self.discriminator_of(model).view  # a view of this loss goes first
        return view.needs_whole_clip

    def discriminator_of(self, model: "ImageToVideoGan") -> Discriminator:
        """Return the discriminator of this term before a training step has a context."""
        return cast(Discriminator, model.discriminators[self.discriminator])

    def resolve(self, context: "GanContext") -> tuple[Discriminator, View]:
        """Return the discriminator, and the view that this term looks through."""
        discriminator = context.discriminator(self.discriminator)
        return discriminator, self.view or discriminator.view

    @staticmethod
    def static_clip(real: ConditionedVideo) -> ConditionedVideo:
        """Return ``real`` with its content image, repeated over time, in place of the video."""
        # (B, C, H, W) -> (B, C, T, H, W)
        return replace(real, video=repeat_over_time(real.image, real.video.shape[2]))


@LOSSES.register_module()
class DiscriminatorLoss(DiscriminatorTerm):
    """The loss that a discriminator minimises: real against generated videos, averaged over ``passes``.

    Source: DTGAN, eq. 3. The further negatives are those of ImaGINator, algorithm 1 (a wrong label), Dual-MTGAN, eq. 5
    (a wrong image, and the static pair (y, y) as real), and the released code of Mathieu et al. (a wrong past).

    Args:
        discriminator: The name of the discriminator, a key of ``model.discriminators``.
        passes: The passes whose generated videos it judges.
        wrong_label: Weight in [0, 1] of real videos that are shown with another label.
        wrong_image: Weight in [0, 1] of real videos that are shown with the image of the clip that the pass does not
            animate.
        wrong_past: Weight in [0, 1] of real videos that are shown with the frames before of another clip of the batch.
            The generated videos weigh 1 - wrong_label - wrong_image - wrong_past.
        real_static: If true, the content image, repeated over time, is the real sample in place of the real video. The
            negatives stay as they are.
        same_indices: If true, real and generated videos are seen at the same indices. If false, each has its own draw.
        view: As of ``DiscriminatorTerm``.
        name: The name in the log; by default "<discriminator>_discriminator".
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the weights of the negatives are not shares of 1, or the discriminator does not read the
            condition that is wrong.

    Examples:
        >>> loss = DiscriminatorLoss("frame", wrong_label=0.5)
        >>> loss.name, loss.passes
        ('frame_discriminator', ('reconstruct',))
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str] = ("reconstruct",),
        wrong_label: float = 0.0,
        wrong_image: float = 0.0,
        wrong_past: float = 0.0,
        real_static: bool = False,
        same_indices: bool = True,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_discriminator", weight)
        if wrong_label + wrong_image + wrong_past > 1:
            raise ConfigError(
                f"loss '{self.name}' weighs its negatives by shares of 1: wrong_label={wrong_label}, "
                f"wrong_image={wrong_image} and wrong_past={wrong_past} must not be negative, nor sum to more than 1"
            )
        self.wrong_label, self.wrong_image, self.wrong_past = wrong_label, wrong_image, wrong_past
        self.real_static, self.same_indices = real_static, same_indices

    def forward(self, context: "GanContext") -> Tensor:
        """Return the discriminator's adversarial loss, the mean over the passes."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            real = context.real(name)
            # One draw of the augmentation serves both videos, and one of the indices too with ``same_indices``.
            index, augmentation = view.sample_indices(real), discriminator.sample_augmentation(real)
            fake = context.fake(name, detach=True)  # the generator does not train here
            seen = discriminator.prepare_input(
                fake, view, index if self.same_indices else view.sample_indices(fake), augmentation
            )
            # The further negatives take their shares of 1 from the generated videos.
            fakes = [(seen.detach(), 1.0 - self.wrong_label - self.wrong_image - self.wrong_past)]
            # Real samples with their own condition.
            right = discriminator.prepare_input(real, view, index, augmentation).detach()
            for wrong, share in self._mismatches(context, name, real):
                # The very sample of the right input: the discriminator computes what they share once.
                disc_input = discriminator.prepare_input(wrong, view, index, augmentation).detach()
                fakes.append((replace(disc_input, sample=right.sample), share))
            if self.real_static:  # after the negatives, which share the sample of the moving video
                right = discriminator.prepare_input(self.static_clip(real), view, index, augmentation).detach()
            terms.append(discriminator.discriminator_loss(right, fakes))  # one scalar a pass
        return sum_terms(terms) / len(terms)

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` as every term does, and if the discriminator does not read the wrong condition."""
        super().check(model)
        discriminator = self.discriminator_of(model)
        if self.wrong_label and (discriminator.condition != "label" or discriminator.num_labels < 2):
            raise ConfigError(
                f"loss '{self.name}' shows wrong labels, but discriminator '{self.discriminator}' reads none, or there "
                f'is only one: set wrong_label=0, or condition="label"'
            )
        if self.wrong_image and discriminator.condition != "image":
            raise ConfigError(
                f"loss '{self.name}' shows wrong images, but discriminator '{self.discriminator}' reads none: set "
                f'wrong_image=0, or condition="image"'
            )
        if self.wrong_past and discriminator.condition != "past":
            raise ConfigError(
                f"loss '{self.name}' shows wrong pasts, but discriminator '{self.discriminator}' reads none: set "
                f'wrong_past=0, or condition="past"'
            )

    def _mismatches(
        self, context: "GanContext", name: str, real: ConditionedVideo
    ) -> Iterator[tuple[ConditionedVideo, float]]:
        """Yield real videos with a wrong condition, and the weight of each."""
        if self.wrong_label:
            number = context.discriminator(self.discriminator).num_labels  # K, of which K - 1 are wrong
            assert real.label is not None, "the model has labels, which check has seen, so its clips have them too"
            yield replace(real, label=wrong_labels(real.label, number)), self.wrong_label
        if self.wrong_image:
            yield replace(real, image=context.wrong_image(name)), self.wrong_image
        if self.wrong_past:
            yield replace(real, before=wrong_past(real)), self.wrong_past


@LOSSES.register_module()
class AdversarialLoss(DiscriminatorTerm):
    """The loss that the generator minimises against a discriminator, averaged over ``passes``.

    Source: DTGAN, eq. 4.

    Args:
        discriminator: The name of the discriminator, a key of ``model.discriminators``.
        passes: The passes whose generated videos it judges.
        real_static: If true, an adversarial loss that compares with real videos (``needs_real``) compares with the
            content image, repeated over time. Real and generated videos are seen at the same indices.
        view: As of ``DiscriminatorTerm``.
        name: The name in the log; by default "<discriminator>_adversarial".
        weight: As of ``Loss``.

    Raises:
        ConfigError: For ``real_static`` where the adversarial loss compares with no real video.
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str] = ("reconstruct",),
        real_static: bool = False,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_adversarial", weight)
        self.real_static = real_static

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` as every term does, and if nothing reads ``real_static``."""
        super().check(model)
        adversarial = self.discriminator_of(model).adversarial
        if self.real_static and not needs_real(adversarial):
            raise ConfigError(
                f"loss '{self.name}' has real_static=True, but {type(adversarial).__name__} compares generated videos "
                f"with nothing: leave it out, or take an adversarial loss that does, for instance RelativisticLoss"
            )

    def forward(self, context: "GanContext") -> Tensor:
        """Return the generator's adversarial loss, the mean over the passes."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            fake = context.fake(name)
            # Encoded and sampled only if it is read.
            real = context.real(name) if needs_real(discriminator.adversarial) else None
            # One draw of indices and of the augmentation serves both, so that samples are compared pair by pair.
            index = view.sample_indices(fake if real is None else real)
            augmentation = discriminator.sample_augmentation(fake)
            # With the graph of the generator.
            disc_inputs = [discriminator.prepare_input(fake, view, index, augmentation)]
            if real is not None:
                compared = self.static_clip(real) if self.real_static else real
                disc_inputs.append(discriminator.prepare_input(compared, view, index, augmentation).detach())
            terms.append(discriminator.generator_loss(*disc_inputs))
        return sum_terms(terms) / len(terms)


def needs_real(adversarial: nn.Module) -> bool:
    """Return true if the generator's side of an adversarial loss compares with real videos."""
    return getattr(adversarial, "needs_real", False)
