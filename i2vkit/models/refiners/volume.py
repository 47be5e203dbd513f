"""Refiners made of 3D convolutions."""

import torch
from einops import repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import Refiner
from i2vkit.models.layers.initialization import init_dcgan_
from i2vkit.registry import REFINERS


@REFINERS.register_module()
class VolumeRefiner(Refiner):
    """G_R of FRGAN (sec. 3.3, fig. 5): 4x4x4 stride-2 convolutions down and transposed ones up with skips, on frames
    and condition maps together; batch norm but at the ends, LeakyReLU down and ReLU up (as VGAN has them; ours).

    Longer videos are refined ``window`` frames at a time (the paper: 32 on MUG, 16 on Penn Action), each window on its
    own; the last is filled up with its last frame. The head that reads the features blends over the coarse video (eq.
    10); the features begin at its ``identity_bias``, so that an untrained refiner changes little (ours: with a mask of
    a half, which zeros give, what stage one has learned is lost at first).

    Raises:
        ConfigError: if the image size or the window cannot be halved as often as there are widths.
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
        self.step, self.window = 1 << len(widths), window
        if image_size % self.step or window % self.step or window < 1:
            raise ConfigError(
                f"VolumeRefiner halves frames and time {len(widths)} times, so image size and window are multiples of "
                f"{self.step}, not {image_size} and {window}: change them, or give other widths"
            )
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (width_in, width) in enumerate(zip((3 + map_channels, *widths), widths, strict=False)):
            layers = [nn.Conv3d(width_in, width, 4, stride=2, padding=1, bias=i == 0)]
            layers += [nn.BatchNorm3d(width)] if i else []
            # In place: else every map is kept twice for the backward pass.
            self.down.append(nn.Sequential(*layers, nn.LeakyReLU(0.2, inplace=True)))
        for i in reversed(range(len(widths))):
            width_in, width = widths[i] * (1 if i == len(widths) - 1 else 2), widths[i - 1] if i else out_channels
            layers = [nn.ConvTranspose3d(width_in, width, 4, stride=2, padding=1, bias=i == 0)]
            self.up.append(nn.Sequential(*layers, *([nn.BatchNorm3d(width), nn.ReLU(inplace=True)] if i else [])))
        init_dcgan_(self)
        if identity_bias:
            with torch.no_grad():
                self.up[-1][0].bias.copy_(torch.tensor(identity_bias))

    def forward(self, video: Tensor, maps: Tensor | None) -> Tensor:
        """Coarse video (B, 3, T, H, W) and driving maps (B, M, T, H, W) to features (B, out_channels, T, H, W)."""
        x = video if maps is None else torch.cat([video, maps], dim=1)
        return torch.cat([self._refine(window) for window in x.split(self.window, dim=2)], dim=2)

    def _refine(self, x: Tensor) -> Tensor:
        length = x.shape[2]
        if missing := -length % self.step:
            x = torch.cat([x, repeat(x[:, :, -1], "b c h w -> b c t h w", t=missing)], dim=2)
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        for i, (block, skip) in enumerate(zip(self.up, reversed(skips), strict=True)):
            x = block(x if i == 0 else torch.cat([x, skip], dim=1))
        return x[:, :, :length]
