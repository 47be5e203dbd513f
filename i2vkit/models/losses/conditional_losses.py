"""Losses on what a video was asked to be: of the right class, and begun with the right image."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES


class _CategoryTerm(DiscriminatorTerm):
    """Cross-entropy of a discriminator's class logits with the labels of the clips."""

    def check(self, model) -> None:
        """Raise ``ConfigError`` as every term of a discriminator, and if the discriminator does not classify."""
        super().check(model)
        if not model.discriminators[self.discriminator].classifies:
            raise ConfigError(
                f"loss '{self.name}' reads class logits: give discriminator '{self.discriminator}' classify=True"
            )

    def cross_entropy(self, context, conditioned: ConditionedVideo) -> Tensor:
        """The mean over what the discriminator sees of ``conditioned``."""
        discriminator, view = self.resolve(context)
        index = view.sample_indices(conditioned)
        wanted = conditioned.label[view.clip_index(conditioned, index)]
        return functional.cross_entropy(
            discriminator.classify(discriminator.prepare_input(conditioned, view, index)), wanted
        )


@LOSSES.register_module()
class DiscriminatorCategoryLoss(_CategoryTerm):
    """What a classifying discriminator minimises: the cross-entropy on real videos and that on generated, each averaged
    over ``passes`` (Odena et al., 2017; MoCoGAN, Tulyakov et al., 2018).
    """

    def __init__(
        self,
        discriminator: str,
        passes: Sequence[str] = ("reconstruct",),
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_discriminator_category", weight)

    def forward(self, context) -> Tensor:
        """The sum of both, the mean over the passes."""
        terms = [
            self.cross_entropy(context, context.real(name))
            + self.cross_entropy(context, context.fake(name, detach=True))
            for name in self.passes
        ]
        return sum(terms) / len(terms)


@LOSSES.register_module()
class CategoryLoss(_CategoryTerm):
    """What the generator minimises against a classifying discriminator: the cross-entropy on its videos, averaged over
    ``passes`` (Odena et al., 2017; MoCoGAN, Tulyakov et al., 2018).
    """

    def __init__(
        self,
        discriminator: str,
        passes: Sequence[str] = ("reconstruct",),
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_category", weight)

    def forward(self, context) -> Tensor:
        """The mean over the passes."""
        return sum(self.cross_entropy(context, context.fake(name)) for name in self.passes) / len(self.passes)


@LOSSES.register_module()
class FirstFrameL1Loss(PassLoss):
    """Mean absolute difference of the first generated frame and the content image, in [0, 2] (VGAN's way to start a
    video with a given image, Vondrick et al., 2016).
    """

    def __init__(
        self, pass_name: str = "reconstruct", name: str | None = "first_frame_l1", weight: float | Sequence = 1.0
    ):
        super().__init__(pass_name, name, weight)

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the first frame is the image itself."""
        if model.generator.feeds_back:
            raise ConfigError(
                f"loss '{self.name}' compares the first frame with the image, and this generator begins every video "
                f"with the image itself: the loss would always be 0, leave it out"
            )

    def forward(self, context) -> Tensor:
        """E |first frame - image|."""
        made = context.generated(self.pass_name)
        return (made.video[:, :, 0] - made.content.image).abs().mean()
