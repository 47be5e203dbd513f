"""A loss that compares videos by the features of a discriminator under training."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.registry import LOSSES

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


@LOSSES.register_module()
class FeatureMatchingLoss(DiscriminatorTerm):
    """Mean absolute difference between a discriminator's features of real and generated videos, summed over its blocks.

    Both videos are seen at the same indices, with the same augmentation and the same condition. With the condition
    "points" the gradient also reaches the points through the features of the real video, as in the released code.

    Source: Monkey-Net (Siarohin et al., 2019); Wang et al., "High-resolution image synthesis and semantic manipulation
    with conditional GANs" (2018).

    Args:
        discriminator: The name of the discriminator, a key of ``model.discriminators``.
        passes: The passes whose videos are compared with their targets.
        channel_weights: Weight of each block, fine to coarse. None, the default, weighs all by 1.
        view: As of ``DiscriminatorTerm``.
        name: The name in the log; by default "<discriminator>_features".
        weight: As of ``Loss``.

    Raises:
        ConfigError: The network of the discriminator gives no features, or has another number of blocks.
    """

    def __init__(
        self,
        discriminator: str,
        passes: str | Sequence[str] = ("reconstruct",),
        channel_weights: tuple[float, ...] | None = None,
        view: dict | None = None,
        name: str | None = None,
        weight: float | Sequence = 1.0,
    ):
        super().__init__(discriminator, passes, view, name or f"{discriminator}_features", weight)
        self.channel_weights = channel_weights

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` as every term does, and if the network gives no features."""
        super().check(model)
        network = self.discriminator_of(model).network
        if not hasattr(network, "block_features"):
            raise ConfigError(
                f"loss '{self.name}' compares features of discriminator '{self.discriminator}', and "
                f"{type(network).__name__} gives none (block_features): leave the loss out, or take another network, "
                f"for instance PooledFrameDiscriminator"
            )

    def forward(self, context: "GanContext") -> Tensor:
        """Return the sum over the blocks of w E |F(real) - F(video)|, the mean over the passes."""
        discriminator, view = self.resolve(context)
        terms = []
        for name in self.passes:
            fake = context.fake(name)
            real = replace(context.real(name), points=fake.points)  # with the graph of the points
            index, augmentation = view.sample_indices(fake), discriminator.sample_augmentation(fake)
            ours, theirs = (
                discriminator.block_features(discriminator.prepare_input(videos, view, index, augmentation))
                for videos in (fake, real)
            )
            weights = self.channel_weights or (1.0,) * len(ours)
            if len(weights) != len(ours):
                raise ConfigError(
                    f"loss '{self.name}' has {len(weights)} channel_weights, and discriminator '{self.discriminator}' "
                    f"has {len(ours)} blocks: give as many weights, or None"
                )
            terms.append(
                sum_terms(
                    weight * (one - other).abs().mean()
                    for weight, one, other in zip(weights, ours, theirs, strict=True)
                )
            )
        return sum_terms(terms) / len(terms)
