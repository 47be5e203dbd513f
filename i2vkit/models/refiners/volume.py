"""Refiners made of 3D convolutions."""

from typing import cast

import torch
from einops import repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import Refiner
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.registry import REFINERS


@REFINERS.register_module()
class VolumeRefiner(Refiner):
    """G_R of FRGAN: a U-Net of 3D convolutions on frames and condition maps together.

    4x4x4 stride-2 convolutions go down and transposed ones up, with skips. There is batch norm except at the two ends,
    LeakyReLU on the way down and ReLU on the way up (as in VGAN; ours).

    Longer videos are refined ``window`` frames at a time, each window on its own. The last one is filled up with its
    last frame. The head that reads the features blends over the coarse video (eq. 10). The features begin at its
    ``identity_bias``, so that an untrained refiner changes little (ours: zeros give a mask of one half, with which the
    result of stage one is lost at first).

    Ours:
        batch norm, LeakyReLU on the way down, ReLU on the way up
        it begins as the identity, at the head's ``identity_bias``

    Source: FRGAN, sec. 3.3, fig. 5.

    Args:
        image_size: Side of the frames, in pixels.
        map_channels: Number of condition maps of a frame.
        out_channels: Channels that the head reads.
        widths: Channels of the blocks; each halves frames and time.
        window: Frames that are refined at a time (the paper: 32 on MUG, 16 on Penn Action).
        identity_bias: The features, one for each channel, with which an untrained refiner begins; () leaves them as
            they are initialised.

    Raises:
        ConfigError: If the image size or the window cannot be halved as often as there are widths.

    Examples:
        >>> refiner = VolumeRefiner(16, map_channels=0, out_channels=4, widths=(4, 8), window=8)
        >>> refiner(torch.zeros(1, 3, 10, 16, 16), maps=None).shape  # two windows, of 8 and 2 frames
        torch.Size([1, 4, 10, 16, 16])
    """

    def __init__(
        self,
        image_size: int,
        map_channels: int,
        out_channels: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        window: int = 32,
        identity_bias: tuple[float, ...] = (),
    ):
        super().__init__()
        self.step, self.window = 1 << len(widths), window  # lengths are halved once a block
        if image_size % self.step or window % self.step or window < 1:
            raise ConfigError(
                f"VolumeRefiner halves frames and time {len(widths)} times, so image size and window are multiples of "
                f"{self.step}, not {image_size} and {window}: change them, or give other widths"
            )
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (width_in, width) in enumerate(zip((3 + map_channels, *widths), widths, strict=False)):
            # A bias before a batch norm would have no effect; the first block has no norm.
            layers: list[nn.Module] = [nn.Conv3d(width_in, width, 4, stride=2, padding=1, bias=i == 0)]
            layers += [nn.BatchNorm3d(width)] if i else []
            # In place: else every map is kept twice for the backward pass.
            self.down.append(nn.Sequential(*layers, nn.LeakyReLU(0.2, inplace=True)))
        for i in reversed(range(len(widths))):
            # All blocks but the coarsest also read the skip of their size.
            width_in, width = widths[i] * (1 if i == len(widths) - 1 else 2), widths[i - 1] if i else out_channels
            layers = [nn.ConvTranspose3d(width_in, width, 4, stride=2, padding=1, bias=i == 0)]
            self.up.append(nn.Sequential(*layers, *([nn.BatchNorm3d(width), nn.ReLU(inplace=True)] if i else [])))
        init_dcgan_(self)
        if identity_bias:
            with torch.no_grad():
                last = cast(nn.ConvTranspose3d, cast(nn.Sequential, self.up[-1])[0])
                assert last.bias is not None, "the last layer is the one without a batch norm"
                last.bias.copy_(torch.tensor(identity_bias))

    def forward(self, video: Tensor, maps: Tensor | None) -> Tensor:
        """Return features (B, out_channels, T, H, W) of the refined video.

        Args:
            video: The coarse video (B, 3, T, H, W) in [-1, 1].
            maps: Driving maps (B, M, T, H, W), or None.
        """
        x = video if maps is None else torch.cat([video, maps], dim=1)  # (B, 3 + M, T, H, W)
        # Windows (B, 3 + M, t, H, W) -> (B, out_channels, t, H, W), one after the other.
        return torch.cat([self._refine(window) for window in x.split(self.window, dim=2)], dim=2)

    def _refine(self, x: Tensor) -> Tensor:
        """Return the features of one window (B, C, t, H, W)."""
        length = x.shape[2]
        if missing := -length % self.step:
            # The last frame (B, C, H, W), repeated until time can be halved as often as there are blocks.
            x = torch.cat([x, repeat(x[:, :, -1], "b c h w -> b c t h w", t=missing)], dim=2)
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)  # (B, widths[i], t / 2^(i + 1), ...)
        # The coarsest map has no skip but itself.
        for i, (block, skip) in enumerate(zip(self.up, reversed(skips), strict=True)):
            x = block(x if i == 0 else torch.cat([x, skip], dim=1))
        return x[:, :, :length]  # without the repeated frames
