"""Blocks that halve or double maps, and hourglasses made of them (Newell et al., 2016; Siarohin et al., 2019)."""

from itertools import pairwise

import torch
from einops import repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError


class DownBlock(nn.Sequential):
    """3x3 convolution, batch norm, ReLU and average pooling: maps (N, C, H, W) -> (N, C', H / 2, W / 2)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(), nn.AvgPool2d(2)
        )


class UpBlock(nn.Sequential):
    """3x3 convolution of doubled maps, batch norm and ReLU: (N, C, H, W) -> (N, C', 2 H, 2 W)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Return the doubled maps."""
        # A copy of each value to 2x2. Its backward pass is a sum, which every device adds up in one order.
        return super().forward(repeat(x, "n c h w -> n c (h p) (w q)", p=2, q=2))


class SameBlock(nn.Module):
    """A residual block that keeps size and channels: twice batch norm, ReLU and 3x3 convolution, plus its input."""

    def __init__(self, channels: int):
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, C, H, W) of maps of the same shape."""
        return x + self.layers(x)


class Hourglass(nn.Module):
    """Maps that are halved and doubled again, with a skip connection at every size.

    Every doubled map is joined to the map of its size on the way down, and the last one to the input itself. With
    widths 64-128-256-512-512 it is the hourglass of Monkey-Net's released code.

    Args:
        in_channels: Channels of the input.
        widths: Channels of the halved maps. Half of the first are the channels of the last doubled map.
        image_size: Side of the input in pixels.

    Attributes:
        out_channels: Channels of the output: those of the last doubled map, and those of the input.

    Raises:
        ConfigError: The maps cannot be halved so often.

    Examples:
        >>> hourglass = Hourglass(3, (8, 16), image_size=8)
        >>> hourglass.out_channels, hourglass(torch.zeros(2, 3, 8, 8)).shape
        (7, torch.Size([2, 7, 8, 8]))
    """

    def __init__(self, in_channels: int, widths: tuple[int, ...], image_size: int):
        super().__init__()
        check_halvings("an hourglass", image_size, len(widths))
        self.down = nn.ModuleList(DownBlock(*both) for both in pairwise((in_channels, *widths)))
        # From coarse to fine: each but the first also reads the map of its size on the way down.
        outputs = [max(1, widths[0] // 2), *widths[:-1]][::-1]
        joined = [0, *widths[-2::-1]]
        inputs = [widths[-1], *outputs[:-1]]
        self.up = nn.ModuleList(
            UpBlock(before + skip, after) for before, skip, after in zip(inputs, joined, outputs, strict=True)
        )
        self.out_channels = outputs[-1] + in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, out_channels, H, W) of maps (N, in_channels, H, W)."""
        skips = [x]
        for block in self.down:
            skips.append(block(skips[-1]))
        made = skips.pop()  # the coarsest
        for block in self.up:
            # (N, C, h, w) -> (N, C', 2 h, 2 w), beside the map of that size
            made = torch.cat([block(made), skips.pop()], dim=1)
        return made


def check_halvings(name: str, image_size: int, number: int) -> None:
    """Raise ``ConfigError`` unless maps of ``image_size`` pixels can be halved ``number`` times.

    Args:
        name: Name of what halves them, for the message.
        image_size: Side of the maps in pixels.
        number: Number of halvings.
    """
    if number < 1 or image_size % (1 << number):
        raise ConfigError(
            f"{name} halves maps {number} times, and {image_size} pixels cannot be halved so: give one width or more, "
            f"and not more than the image size allows (5 for 64 pixels)"
        )


def averaged(frames: Tensor, factor: int) -> Tensor:
    """Return frames (N, C, H, W) averaged over squares of ``factor`` pixels, (N, C, H / factor, W / factor)."""
    return frames if factor == 1 else functional.avg_pool2d(frames, factor)
