"""The two sides of the game between a discriminator and the generator."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import wrong_labels
from i2vkit.models.discriminators.networks import repeat_over_time
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES, VIEWS, build_part


class DiscriminatorTerm(Loss):
    """What the two sides of the game share: a discriminator by name, passes, and a view that may replace the
    discriminator's own.
    """

    def __init__(self, discriminator: str, passes: Sequence[str], view: dict | None, name: str | None, weight):
        super().__init__(name, weight)
        self.discriminator = discriminator
        self.passes = (passes,) if isinstance(passes, str) else tuple(passes)
        self.view = build_part(VIEWS, view)

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the discriminator is not there, or is not shown what it judges."""
        if self.discriminator not in model.discriminators:
            raise ConfigError(
                f"loss '{self.name}' asks discriminator '{self.discriminator}'; there are: "
                f"{', '.join(model.discriminators)}"
            )
        view = model.discriminators[self.discriminator].check_view(
            self.view or model.discriminators[self.discriminator].view
        )
        if view.encodes_motion:
            model.generator.check_encodes_video()

    def needs_whole_clip(self, model) -> bool:
        """Whether the view shows clips, or motion that is read in them."""
        view = self.view or model.discriminators[self.discriminator].view
        return view.needs_whole_clip

    def resolve(self, context) -> tuple:
        """The discriminator, and the view this term looks through."""
        discriminator = context.discriminator(self.discriminator)
        return discriminator, self.view or discriminator.view

    @staticmethod
    def static_clip(real: ConditionedVideo) -> ConditionedVideo:
        """The content image, standing still, in place of a real video."""
        return replace(real, video=repeat_over_time(real.image, real.video.shape[2]))


@LOSSES.register_module()
class DiscriminatorLoss(DiscriminatorTerm):
    """What a discriminator minimises: real videos against generated, averaged over ``passes`` (DTGAN, eq. 3).

    ``wrong_label`` and ``wrong_image`` are the weights of further negatives: real videos shown with another label
    (ImaGINator, algorithm 1), and with the image of the clip that the pass does not animate (Dual-MTGAN, eq. 5). The
    generated videos weigh what is left of 1. With ``real_static`` the content image, standing still, is what is real
    in place of the real videos; the negatives are as before (the pair (y, y) of the same equation). Real and generated
    are looked at by the same indices, unless ``same_indices`` is false.

    Raises:
        ConfigError: if the weights of the negatives are not shares of 1, or the discriminator does not read what is
            wrong.
    """

    def __init__(
        self,
        discriminator: str,
        passes: Sequence[str] = ("reconstruct",),
        wrong_label: float = 0.0,
        wrong_image: float = 0.0,
        real_static: bool = False,
        same_indices: bool = True,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_discriminator", weight)
        if min(wrong_label, wrong_image) < 0 or wrong_label + wrong_image > 1:
            raise ConfigError(
                f"loss '{self.name}' weighs its negatives by shares of 1: wrong_label={wrong_label} and "
                f"wrong_image={wrong_image} must not be negative, nor sum to more than 1"
            )
        self.wrong_label, self.wrong_image = wrong_label, wrong_image
        self.real_static, self.same_indices = real_static, same_indices

    def forward(self, context) -> Tensor:
        """The discriminator's adversarial loss, the mean over the passes."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            real = context.real(name)
            index, augmentation = view.sample_indices(real), discriminator.sample_augmentation(real)
            fake = context.fake(name, detach=True)
            seen = discriminator.prepare_input(
                fake, view, index if self.same_indices else view.sample_indices(fake), augmentation
            )
            fakes = [(seen.detach(), 1.0 - self.wrong_label - self.wrong_image)]
            right = discriminator.prepare_input(real, view, index, augmentation).detach()
            for wrong, share in self._mismatches(context, name, real):
                # The very sample of the right input: the discriminator computes what they share once.
                disc_input = discriminator.prepare_input(wrong, view, index, augmentation).detach()
                fakes.append((replace(disc_input, sample=right.sample), share))
            if self.real_static:
                right = discriminator.prepare_input(self.static_clip(real), view, index, augmentation).detach()
            terms.append(discriminator.discriminator_loss(right, fakes))
        return sum(terms) / len(terms)

    def check(self, model) -> None:
        """Raise ``ConfigError`` as every term of a discriminator, and if the discriminator does not read what is
        wrong.
        """
        super().check(model)
        discriminator = model.discriminators[self.discriminator]
        if self.wrong_label and (discriminator.condition != "label" or discriminator.num_labels < 2):
            raise ConfigError(
                f"loss '{self.name}' shows wrong labels, but discriminator "
                f"'{self.discriminator}' reads none, or there is "
                f'only one: set wrong_label=0, or condition="label"'
            )
        if self.wrong_image and discriminator.condition != "image":
            raise ConfigError(
                f"loss '{self.name}' shows wrong images, but discriminator '{self.discriminator}' "
                f"reads none: set wrong_image=0, "
                f'or condition="image"'
            )

    def _mismatches(self, context, name: str, real: ConditionedVideo) -> Iterator[tuple[ConditionedVideo, float]]:
        """Real videos with a wrong condition, and the weight of each."""
        if self.wrong_label:
            number = context.discriminator(self.discriminator).num_labels
            yield replace(real, label=wrong_labels(real.label, number)), self.wrong_label
        if self.wrong_image:
            yield replace(real, image=context.wrong_image(name)), self.wrong_image


@LOSSES.register_module()
class AdversarialLoss(DiscriminatorTerm):
    """What the generator minimises against a discriminator, averaged over ``passes`` (DTGAN, eq. 4).

    An adversarial loss that compares with real videos (``needs_real``) is shown both by the same indices;
    ``real_static`` is then as of ``DiscriminatorLoss``.

    Raises:
        ConfigError: for ``real_static`` where the adversarial loss compares with nothing.
    """

    def __init__(
        self,
        discriminator: str,
        passes: Sequence[str] = ("reconstruct",),
        real_static: bool = False,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_adversarial", weight)
        self.real_static = real_static

    def check(self, model) -> None:
        """Raise ``ConfigError`` as every term of a discriminator, and if ``real_static`` is not read."""
        super().check(model)
        adversarial = model.discriminators[self.discriminator].adversarial
        if self.real_static and not needs_real(adversarial):
            raise ConfigError(
                f"loss '{self.name}' has real_static=True, but {type(adversarial).__name__} compares generated videos "
                f"with nothing: leave it out, or take an adversarial loss that does, for instance RelativisticLoss"
            )

    def forward(self, context) -> Tensor:
        """The generator's adversarial loss, the mean over the passes."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            fake = context.fake(name)
            real = context.real(name) if needs_real(discriminator.adversarial) else None
            index, augmentation = (
                view.sample_indices(fake if real is None else real),
                discriminator.sample_augmentation(fake),
            )
            disc_inputs = [discriminator.prepare_input(fake, view, index, augmentation)]
            if real is not None:
                compared = self.static_clip(real) if self.real_static else real
                disc_inputs.append(discriminator.prepare_input(compared, view, index, augmentation).detach())
            terms.append(discriminator.generator_loss(*disc_inputs))
        return sum(terms) / len(terms)


def needs_real(adversarial) -> bool:
    """Whether the generator's side of an adversarial loss compares with real videos."""
    return getattr(adversarial, "needs_real", False)
