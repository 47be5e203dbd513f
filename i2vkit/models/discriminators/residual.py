"""Discriminators made of residual blocks, without any norm, as a gradient penalty requires (FRGAN)."""

import torch
from torch import Tensor, nn

from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.layers.residual import ResidualTrunk
from i2vkit.registry import DISCRIMINATORS


class _ResidualDiscriminator(DiscriminatorNetwork):
    """A residual trunk, then one layer over the rest; label and maps enter beside the sample.

    Args:
        in_channels: Channels of the samples.
        image_size: Side of the frames, in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        width: Channels of the first maps; each halving doubles them.
        max_width: The most channels.
        slope: Slope of the LeakyReLUs; the default is that of the authors' code.
    """

    sample_type: str
    dim: int

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        width: int = 64,
        max_width: int = 512,
        slope: float = 0.01,
    ):
        super().__init__()
        channels = in_channels + map_channels + label_size  # all enter at the first convolution
        self.trunk = ResidualTrunk(channels, image_size, width, max_width, self.dim, slope)
        self.to_score = self._last(1)
        self.to_class = self._last(num_classes) if num_classes else None

    def _last(self, out_channels: int) -> nn.Module:
        """Return the layer that reads the last maps."""
        side, width = self.trunk.side, self.trunk.levels[-1].channels  # of the coarsest maps
        if self.dim == 2:
            return nn.Conv2d(width, out_channels, side)  # one score a frame
        return nn.Conv3d(width, out_channels, (1, side, side))  # one score a step that remains in time

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return scores (N, ...) of samples (N, C, [T,] H, W), one-hot labels (N, L) and maps (N, M, [T,] H, W)."""
        return self.to_score(self.features(sample, label, maps)).flatten(1)  # (N, 1, [T',] 1, 1) -> (N, T')

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes), the mean over the places where there are several."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        # (N, num_classes, [T',] 1, 1) -> (N, num_classes)
        return self.to_class(self.features(sample, label, maps)).flatten(2).mean(dim=2)

    def features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return the maps (N, C, ...) that the last layers read."""
        return self.block_features(sample, label, maps)[-1]  # the coarsest maps

    def block_features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> list[Tensor]:
        """Return the maps (N, C_i, ...) of all levels, fine to coarse."""
        parts = [sample] if maps is None else [sample, maps]
        if label is not None:
            # (N, L) -> (N, L, [1,] 1, 1) -> (N, L, [T,] H, W)
            spread = label.to(sample.dtype)[(..., *[None] * (sample.dim() - 2))]
            parts.append(spread.expand(-1, -1, *sample.shape[2:]))
        return self.trunk(torch.cat(parts, dim=1))


@DISCRIMINATORS.register_module()
class ResidualFrameDiscriminator(_ResidualDiscriminator):
    """D_I of FRGAN: single frames, one score (sec. 3.2; sizes by its authors' code)."""

    sample_type, dim = "frames", 2


@DISCRIMINATORS.register_module()
class ResidualVideoDiscriminator(_ResidualDiscriminator):
    """D_V of FRGAN: the frame discriminator in 3D, on clips of any length (sec. 3.3; its structure is our reading).

    Time is halved with the frames while there is more than one step. Every step that remains has a score.

    Ours:
        its structure is that of the frame discriminator in 3D, with a score for every step in time that remains
    """

    sample_type, dim = "clip", 3
