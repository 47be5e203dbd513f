"""Frame-wise U-Net on the content image and an embedded motion channel."""

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import Decoder
from i2vkit.models.layers.dropout import ClipDropout
from i2vkit.models.layers.initialization import init_dcgan_, init_he_
from i2vkit.registry import DECODERS
from i2vkit.structures import Content, Motion, Spec


class MotionChannelEmbedder(nn.Module):
    """A motion vector becomes an image channel (F of DTGAN, sec. 3.2), with dropout as noise on the motion.

    A linear layer to a grid of ``grid`` x ``grid`` (the paper does not give F; ours), then up-convolutions to full
    size.
    """

    def __init__(
        self, motion_size: int, image_size: int, width: int, channels: int, dropout: ClipDropout, grid: int = 4
    ):
        super().__init__()
        steps = (image_size // grid).bit_length() - 1
        if grid << steps != image_size:
            raise ConfigError(f"image_size {image_size} is not {grid} times a power of two")
        widths = [max(width >> i, 8) for i in range(steps)]
        self.grid = grid
        self.linear = nn.Linear(motion_size, widths[0] * grid * grid)
        self.dropout = dropout
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.ReLU(),
                    nn.ConvTranspose2d(width_in, width_out, 4, stride=2, padding=1),
                )
                for width_in, width_out in zip(widths, [*widths[1:], channels], strict=True)
            )
        )
        # Five layers without a norm: with pix2pix's small weights each would shrink the signal by half or more, and
        # the motion would come to the U-Net too weak to be learnt from.
        init_he_(self)

    def forward(self, steps: Tensor, state: GenerationState, batch: int) -> Tensor:
        """Motion vectors (B T, D) to channels (B T, C, H, W) in [-1, 1]."""
        cells = self.dropout(self.linear(steps), state, batch)
        grid = rearrange(cells, "n (c h w) -> n c h w", h=self.grid, w=self.grid)
        return torch.tanh(self.blocks(grid))


class UNet(nn.Module):
    """The U-Net of pix2pix: 4x4 stride-2 convolutions down to 1x1 and back, a skip at every size, batch norm, dropout
    in the ``dropouts`` innermost blocks up.
    """

    def __init__(self, in_channels: int, out_channels: int, widths: tuple[int, ...], dropouts: list[ClipDropout]):
        super().__init__()
        last = len(widths) - 1
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for i, (width_in, width) in enumerate(zip((in_channels, *widths), widths, strict=False)):
            normed = 0 < i < last
            convolution = nn.Conv2d(width_in, width, 4, stride=2, padding=1, bias=not normed)
            layers = [convolution] if i == 0 else [nn.LeakyReLU(0.2), convolution]
            self.down.append(nn.Sequential(*layers, *([nn.BatchNorm2d(width)] if normed else [])))
        for i in reversed(range(len(widths))):
            width_in = widths[i] if i == last else 2 * widths[i]
            width_out = widths[i - 1] if i else out_channels
            convolution = nn.ConvTranspose2d(width_in, width_out, 4, stride=2, padding=1, bias=i == 0)
            self.up.append(nn.Sequential(nn.ReLU(), convolution, *([nn.BatchNorm2d(width_out)] if i else [])))
        self.dropouts = nn.ModuleList(dropouts)

    def forward(self, x: Tensor, state: GenerationState, batch: int) -> Tensor:
        """Frames (B T, C, H, W) to maps (B T, out_channels, H, W)."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        for i, (block, skip) in enumerate(zip(self.up, reversed(skips), strict=True)):
            x = block(x if i == 0 else torch.cat([x, skip], dim=1))
            if i < len(self.dropouts):
                x = self.dropouts[i](x, state, batch)
        return x


@DECODERS.register_module()
class UNetDecoder(Decoder):
    """Every frame from the content image and one embedded motion channel by a U-Net (DTGAN, sec. 3.2).

    Noise is dropout in the innermost blocks up, as in pix2pix, and, at a lower rate that is ours, in the embedder;
    ``dropout_at_test`` keeps it on at test, one mask a clip. ``widths`` of the blocks down default to
    64-128-256-512-512... until 1x1.

    Raises:
        ConfigError: if the image size is no power of two or does not fit ``widths``.
    """

    requires = ("motion.trajectory",)
    supports_chunks = True
    frame_wise = True

    def __init__(
        self,
        image_size: int,
        motion: Spec,
        out_channels: int,
        widths: tuple[int, ...] | None = None,
        embedder_width: int = 128,
        embedder_dropout: float = 0.1,
        motion_channels: int = 1,
        dropout: float = 0.5,
        num_dropouts: int = 3,
        dropout_at_test: bool = True,
    ):
        super().__init__()
        depth = image_size.bit_length() - 1
        if widths is None:
            widths = (64, 128, 256, *[512] * (depth - 3))[:depth]
        if 1 << depth != image_size or len(widths) != depth:
            raise ConfigError(
                f"UNetDecoder halves down to one pixel: it makes images of 16, 32, 64, 128, ... pixels with one width "
                f"per halving, not of {image_size} with {len(widths)}: set image_size to one of these, or other widths"
            )

        noise = ClipDropout(embedder_dropout, dropout_at_test)
        self.embedder = MotionChannelEmbedder(motion.trajectory, image_size, embedder_width, motion_channels, noise)
        dropouts = [ClipDropout(dropout, dropout_at_test) for _ in range(min(num_dropouts, depth - 1))]
        self.unet = UNet(3 + motion_channels, out_channels, widths, dropouts)
        init_dcgan_(self.unet)

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Features (B, out_channels, T, H, W) for the head, and the base (B, 3, 1, H, W): the content image."""
        batch, length = motion.trajectory.shape[:2]
        channel = self.embedder(rearrange(motion.trajectory, "b t d -> (b t) d"), state, batch)
        image = repeat(content.image, "b c h w -> (b t) c h w", t=length)
        frames = self.unet(torch.cat([image, channel], dim=1), state, batch)
        return rearrange(frames, "(b t) c h w -> b c t h w", b=batch), content.image[:, :, None]
