"""Discriminators made of residual blocks, without any norm, as a gradient penalty wants them (FRGAN)."""

import torch
from torch import Tensor, nn

from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.layers.residual import ResidualTrunk
from i2vkit.registry import DISCRIMINATORS


class _ResidualDiscriminator(DiscriminatorNetwork):
    """A residual trunk, then one layer over what remains; label and maps enter beside the sample.

    ``slope`` of the LeakyReLUs is that of the authors' code.
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
        channels = in_channels + map_channels + label_size
        self.trunk = ResidualTrunk(channels, image_size, width, max_width, self.dim, slope)
        self.to_score = self._last(1)
        self.to_class = self._last(num_classes) if num_classes else None

    def _last(self, out_channels: int) -> nn.Module:
        side, width = self.trunk.side, self.trunk.levels[-1].channels
        if self.dim == 2:
            return nn.Conv2d(width, out_channels, side)
        return nn.Conv3d(width, out_channels, (1, side, side))

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Scores (N, ...) of samples (N, C, [T,] H, W), one-hot labels (N, L) and maps (N, M, [T,] H, W)."""
        return self.to_score(self.features(sample, label, maps)).flatten(1)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Class logits (N, num_classes) of the same, the mean over the places where there are several."""
        return self.to_class(self.features(sample, label, maps)).flatten(2).mean(dim=2)

    def features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """What the last layers read."""
        parts = [sample] if maps is None else [sample, maps]
        if label is not None:
            spread = label.to(sample.dtype)[(..., *[None] * (sample.dim() - 2))]
            parts.append(spread.expand(-1, -1, *sample.shape[2:]))
        return self.trunk(torch.cat(parts, dim=1))[-1]


@DISCRIMINATORS.register_module()
class ResidualFrameDiscriminator(_ResidualDiscriminator):
    """D_I of FRGAN: single frames, one score (sec. 3.2; sizes by its authors' code)."""

    sample_type, dim = "frames", 2


@DISCRIMINATORS.register_module()
class ResidualVideoDiscriminator(_ResidualDiscriminator):
    """D_V of FRGAN: the same in 3D on clips of any length (sec. 3.3; its twin is our reading). Time is halved with the
    frames while there is more than one step; every step that remains has a score.
    """

    sample_type, dim = "clip", 3
