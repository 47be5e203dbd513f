"""A frame-wise U-Net on the content image and an embedded motion channel (DTGAN)."""

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
    """A network that turns a motion vector into image channels, with dropout as noise on the motion.

    It is F of DTGAN, sec. 3.2. The paper does not describe F. Ours has a linear layer to a grid of ``grid`` x ``grid``
    cells, and up-convolutions to full size.

    Args:
        motion_size: Size of a motion vector.
        image_size: Side of the image in pixels, ``grid`` times a power of two.
        width: Channels of the grid. They halve with every up-convolution, down to 8.
        channels: Number of image channels that come out.
        dropout: Noise on the motion.
        grid: Side of the grid in cells.

    Raises:
        ConfigError: The image size does not fit the grid.
    """

    def __init__(
        self, motion_size: int, image_size: int, width: int, channels: int, dropout: ClipDropout, grid: int = 4
    ):
        super().__init__()
        steps = (image_size // grid).bit_length() - 1  # number of up-convolutions
        if grid << steps != image_size:
            raise ConfigError(
                f"MotionChannelEmbedder makes images of {grid} times a power of two pixels, not of {image_size}: set "
                f"image_size to such a size"
            )
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
        # There are five layers without a norm. With the small initial weights of pix2pix, each would halve the signal
        # or worse, and the motion would reach the U-Net too weak to be learnt from.
        init_he_(self)

    def forward(self, steps: Tensor, state: GenerationState, batch: int) -> Tensor:
        """Return channels (B T, C, H, W) in [-1, 1] for motion vectors (B T, D) of ``batch`` clips."""
        cells = self.dropout(self.linear(steps), state, batch)
        # (B T, C grid grid) -> (B T, C, grid, grid)
        grid = rearrange(cells, "n (c h w) -> n c h w", h=self.grid, w=self.grid)
        return torch.tanh(self.blocks(grid))


class UNet(nn.Module):
    """The U-Net of pix2pix: 4x4 stride-2 convolutions down to 1x1 and back, with a skip connection at every size.

    Args:
        in_channels: Channels of the frames.
        out_channels: Channels of the maps that come out.
        widths: Channels of the blocks down, one for each halving.
        dropouts: Dropout behind the innermost blocks up, from the innermost outwards.
        map_channels: Channels of the maps that join what each block down reads; 0: none. By default none anywhere.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        widths: tuple[int, ...],
        dropouts: list[ClipDropout],
        map_channels: tuple[int, ...] = (),
    ):
        super().__init__()
        last = len(widths) - 1
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for i, (width_in, width) in enumerate(zip((in_channels, *widths), widths, strict=False)):
            # As in pix2pix, the first block has no norm, and neither has the last one: at 1x1 a single frame has no
            # variance.
            normed = 0 < i < last
            joined = map_channels[i] if map_channels else 0
            convolution = nn.Conv2d(width_in + joined, width, 4, stride=2, padding=1, bias=not normed)
            layers = [convolution] if i == 0 else [nn.LeakyReLU(0.2), convolution]
            self.down.append(nn.Sequential(*layers, *([nn.BatchNorm2d(width)] if normed else [])))
        for i in reversed(range(len(widths))):
            # All blocks up but the innermost read the block below them and the skip of the same size.
            width_in = widths[i] if i == last else 2 * widths[i]
            width_out = widths[i - 1] if i else out_channels
            upward = nn.ConvTranspose2d(width_in, width_out, 4, stride=2, padding=1, bias=i == 0)
            self.up.append(nn.Sequential(nn.ReLU(), upward, *([nn.BatchNorm2d(width_out)] if i else [])))
        self.dropouts = nn.ModuleList(dropouts)  # ModuleList, so that they follow train() and eval()

    def forward(self, x: Tensor, state: GenerationState, batch: int, maps: dict[int, list[Tensor]]) -> Tensor:
        """Return maps (B T, out_channels, H, W) of frames (B T, in_channels, H, W) of ``batch`` clips.

        ``maps`` holds the maps (B T, C, h, w) that join what a block down reads, by the number of the block.
        """
        skips = []
        for i, block in enumerate(self.down):
            # (B T, C, h, w), with maps of the same size -> (B T, C', h / 2, w / 2)
            x = block(torch.cat([x, *maps[i]], dim=1) if i in maps else x)
            skips.append(x)
        for i, (block, skip) in enumerate(zip(self.up, reversed(skips), strict=True)):
            # (B T, C, h, w) twice -> (B T, 2 C, h, w); the innermost map is its own skip.
            x = block(x if i == 0 else torch.cat([x, skip], dim=1))
            if i < len(self.dropouts):  # from the innermost block outwards
                x = self.dropouts[i](x, state, batch)
        return x


@DECODERS.register_module()
class UNetDecoder(Decoder):
    """A U-Net that makes every frame from the content image and an embedded motion channel (DTGAN, sec. 3.2).

    Its noise is dropout, with one mask for each clip: in the innermost blocks up, as in pix2pix, and in the embedder.

    With ``maps`` the driving maps of the motion, such as those of ``PointMaps``, join what the block down of their size
    reads (ours). The U-Net is then told the motion at the places where it happens.

    Ours:
        dropout has one mask for a clip, which all its frames share (pix2pix draws one for each image)
        the embedder of motion is a linear layer to 4x4 cells and up-convolutions, with He's initial weights and tanh
        when embedder_dropout=0.1: dropout of 0.1 on the motion in the embedder

    Args:
        image_size: Side of the image in pixels, a power of two.
        motion: Spec of the motion, with a trajectory.
        out_channels: Number of channels that the head reads.
        widths: Channels of the blocks down, one for each halving. By default 64-128-256-512-512... until 1x1.
        embedder_width: Channels of the embedder's first map.
        embedder_dropout: Rate of dropout in the embedder, lower than that of the blocks (ours).
        motion_channels: Number of channels into which the motion is embedded.
        dropout: Rate of dropout in the innermost blocks up.
        num_dropouts: Number of these blocks.
        dropout_at_test: True keeps dropout on at test.
        maps: False leaves out the maps of the motion, as DTGAN does, which has none.

    Raises:
        ConfigError: The image size is no power of two, or does not fit ``widths``.
    """

    requires = ("motion.trajectory",)
    accepts = ("motion.maps",)
    as_given = ("motion.maps",)  # it reads the levels that there are, for which no adapter need make a pyramid
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
        maps: bool = True,
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

        # Each dropout is a module of its own, since the generation state keeps one mask for each.
        noise = ClipDropout(embedder_dropout, dropout_at_test)
        self.embedder = MotionChannelEmbedder(motion.trajectory, image_size, embedder_width, motion_channels, noise)
        dropouts = [ClipDropout(dropout, dropout_at_test) for _ in range(min(num_dropouts, depth - 1))]
        levels = motion.maps if maps and "driving" in motion.map_groups else ()
        # The block down that reads each level of the pyramid: block i reads maps whose stride is 2^i.
        blocks = {1 << i: i for i in range(depth)}
        self.map_blocks = [blocks.get(level.stride) for level in levels]
        map_channels = [0] * depth
        for block, level in zip(self.map_blocks, levels, strict=True):
            if block is not None:
                map_channels[block] += level.channels
        self.unet = UNet(3 + motion_channels, out_channels, widths, dropouts, tuple(map_channels))
        init_dcgan_(self.unet)  # the embedder has initialised itself

    def forward(self, content: Content, motion: Motion, state: GenerationState) -> tuple[Tensor, Tensor]:
        """Return features (B, out_channels, T, H, W) for the head, and the content image (B, 3, 1, H, W) as base."""
        assert motion.trajectory is not None, "requires names motion.trajectory"
        batch, length = motion.trajectory.shape[:2]
        # (B, T, D) -> (B T, D) -> (B T, motion_channels, H, W)
        channel = self.embedder(rearrange(motion.trajectory, "b t d -> (b t) d"), state, batch)
        image = repeat(content.image, "b c h w -> (b t) c h w", t=length)  # (B, 3, H, W) -> (B T, 3, H, W)
        maps: dict[int, list[Tensor]] = {}
        if self.map_blocks:
            for block, level in zip(self.map_blocks, motion.maps["driving"], strict=True):
                if block is not None:
                    maps.setdefault(block, []).append(rearrange(level, "b c t h w -> (b t) c h w"))
        # Reads (B T, 3 + motion_channels, H, W).
        frames = self.unet(torch.cat([image, channel], dim=1), state, batch, maps)
        # (B T, C, H, W) -> (B, C, T, H, W), and (B, 3, H, W) -> (B, 3, 1, H, W)
        return rearrange(frames, "(b t) c h w -> b c t h w", b=batch), content.image[:, :, None]
