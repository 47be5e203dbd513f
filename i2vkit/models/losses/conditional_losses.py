"""Losses on the condition of a video: its class, and the image that it begins with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class _CategoryTerm(DiscriminatorTerm):
    """Cross-entropy between a discriminator's class logits and the labels of the clips."""

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` as every term of a discriminator does, and if the discriminator does not classify."""
        super().check(model)
        if not self.discriminator_of(model).classifies:
            raise ConfigError(
                f"loss '{self.name}' reads class logits: give discriminator '{self.discriminator}' classify=True"
            )

    def cross_entropy(self, context: "GanContext", conditioned: ConditionedVideo) -> Tensor:
        """Return the mean over the samples that the discriminator sees of ``conditioned``."""
        discriminator, view = self.resolve(context)  # the view of this loss, or the discriminator's own
        index = view.sample_indices(conditioned)  # drawn for this video alone
        assert conditioned.label is not None, "a discriminator classifies only in a model with labels"
        labels = conditioned.label[view.clip_index(conditioned, index)]  # (B,) -> (N,), one for each sample
        logits = discriminator.classify(discriminator.prepare_input(conditioned, view, index))  # (N, num_labels)
        return functional.cross_entropy(logits, labels)


@LOSSES.register_module()
class DiscriminatorCategoryLoss(_CategoryTerm):
    """The loss that a classifying discriminator minimises: cross-entropy on real plus that on generated videos.

    Source: Odena et al., 2017. MoCoGAN (Tulyakov et al., 2018) has ``generated=False``.

    Args:
        discriminator: The name of a discriminator with ``classify=True``.
        passes: The passes whose videos it classifies; the loss is the mean over them.
        generated: False learns the classes from real videos alone.
        view: As of ``DiscriminatorTerm``.
        name: The name in the log; by default "<discriminator>_discriminator_category".
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the discriminator does not classify.
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str] = ("reconstruct",),
        generated: bool = True,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_discriminator_category", weight)
        self.generated = generated

    def forward(self, context: "GanContext") -> Tensor:
        """Return the sum of the cross-entropies, the mean over the passes."""
        terms = []
        for name in self.passes:
            terms.append(self.cross_entropy(context, context.real(name)))
            if self.generated:  # seen at indices of their own
                terms.append(self.cross_entropy(context, context.fake(name, detach=True)))
        return sum_terms(terms) / len(self.passes)


@LOSSES.register_module()
class CategoryLoss(_CategoryTerm):
    """The loss that the generator minimises against a classifying discriminator: cross-entropy on generated videos.

    Source: Odena et al., 2017; MoCoGAN, Tulyakov et al., 2018.

    Args:
        discriminator: The name of a discriminator with ``classify=True``.
        passes: The passes whose videos it classifies; the loss is the mean over them.
        view: As of ``DiscriminatorTerm``.
        name: The name in the log; by default "<discriminator>_category".
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the discriminator does not classify.
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str] = ("reconstruct",),
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_category", weight)

    def forward(self, context: "GanContext") -> Tensor:
        """Return the mean over the passes."""
        terms = [self.cross_entropy(context, context.fake(name)) for name in self.passes]
        return sum_terms(terms) / len(terms)


@LOSSES.register_module()
class FirstFrameL1Loss(PassLoss):
    """Mean absolute difference between the first generated frame and the content image, in [0, 2].

    Source: VGAN (Vondrick et al., 2016), which begins a video with a given image in this way.

    Args:
        pass_name: The pass whose first frame is compared.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the generator begins every video with the image itself.
    """

    def __init__(
        self, pass_name: str = "reconstruct", name: str | None = "first_frame_l1", weight: float | Sequence = 1.0
    ):
        super().__init__(pass_name, name, weight)

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the first frame is the image itself."""
        if model.generator.feeds_back:
            raise ConfigError(
                f"loss '{self.name}' compares the first frame with the image, and this generator begins every video "
                f"with the image itself: the loss would always be 0, leave it out"
            )

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |first frame - image|."""
        made = context.generated(self.pass_name)  # with its graph
        return (made.video[:, :, 0] - made.content.image).abs().mean()  # (B, C, H, W) -> ()
