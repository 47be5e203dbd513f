"""Residual blocks that halve or double a map (Gulrajani et al., 2017, with activations first), and a trunk of them."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.layers.clip_convolution import ClipConv3d
from i2vkit.models.layers.forms import TwoForms
from i2vkit.models.layers.resampling import PooledConv, UpsampledConv, average_pool, join_static
from i2vkit.structures import FeatureSpec

SMALLEST = 8  # maps of this side or more are halved


class ResidualDown(nn.Module):
    """A block that halves maps: activation, 3x3 convolution, activation, 3x3 convolution, average pooling.

    The shortcut is pooling and a convolution. There is no norm.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        dim: 2 for frames, 3 for clips.
        slope: Slope of the LeakyReLU; 0 makes it a ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, dim: int = 2, slope: float = 0.0):
        super().__init__()
        convolution = (nn.Conv2d, ClipConv3d)[dim - 2]
        self.shortcut = convolution(in_channels, out_channels, 3, padding=1)
        self.first = convolution(in_channels, out_channels, 3, padding=1)
        self.second = PooledConv(out_channels, out_channels, dim)  # its pooling is that of the block
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, C', [T/2,] H/2, W/2) of maps (N, C, [T,] H, W)."""
        made = self.first(functional.leaky_relu(x, self.slope))
        # In place: else the largest map of the block is kept twice for the backward pass.
        made = self.second(functional.leaky_relu(made, self.slope, inplace=True))
        return made + self.shortcut(average_pool(x))  # pooled first, which costs a fourth


class ResidualUp(TwoForms):
    """A residual block that doubles maps (one block of FRGAN's f_D).

    It is batch norm, ReLU, nearest upsampling, 3x3 convolution, batch norm, ReLU, 3x3 convolution. The shortcut is
    upsampling and a convolution. In eval mode the part of static channels is computed once for each clip. In training
    mode the statistics of a batch norm are those of all frames, and nothing is split. The reference form never splits.

    Args:
        in_channels: Channels of static and dynamic maps together.
        out_channels: Channels of the output.

    Examples:
        >>> import torch
        >>> ResidualUp(5, 4)(torch.zeros(6, 3, 8, 8), torch.zeros(2, 2, 8, 8)).shape  # 2 clips of 3 frames
        torch.Size([6, 4, 16, 16])
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.shortcut = UpsampledConv(in_channels, out_channels)
        self.norm = nn.BatchNorm2d(in_channels)
        self.first = UpsampledConv(in_channels, out_channels)
        self.second_norm = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, dynamic: Tensor, static: Tensor | None = None) -> Tensor:
        """Return maps (B T, O, 2 H, 2 W) of ``static`` (B, C', H, W) and, after it, ``dynamic`` (B T, C, H, W)."""
        if self.takes_reference(dynamic) or self.training or static is None:
            dynamic, static = join_static(static, dynamic), None  # (B T, C' + C, H, W)
            normed, normed_static = functional.relu(self.norm(dynamic), inplace=True), None
        else:
            # The static channels come first in the parameters of the norm.
            channels = static.shape[1]
            normed_static = functional.relu(self._norm(static, slice(channels)), inplace=True)
            normed = functional.relu(self._norm(dynamic, slice(channels, None)), inplace=True)
        # (B T, C'', 2 H, 2 W)
        made = functional.relu(self.second_norm(self.first(normed, normed_static)), inplace=True)
        return self.second(made) + self.shortcut(dynamic, static)

    def _norm(self, x: Tensor, part: slice) -> Tensor:
        """Return ``x`` through the first batch norm in eval mode, with the channels ``part`` of its parameters."""
        norm = self.norm
        mean, variance, weight, bias = norm.running_mean, norm.running_var, norm.weight, norm.bias
        assert mean is not None and variance is not None, "this batch norm tracks its statistics"
        return functional.batch_norm(x, mean[part], variance[part], weight[part], bias[part], eps=norm.eps)


def trunk_specs(image_size: int, width: int, max_width: int) -> tuple[FeatureSpec, ...]:
    """Return channels and strides of the maps of a trunk, fine to coarse.

    Maps halve from ``image_size`` while their side is ``SMALLEST`` or more. Their widths double from ``width`` up to
    ``max_width``.

    Raises:
        ConfigError: If a map on the way has an odd side.

    Examples:
        >>> [(level.channels, 96 // level.stride) for level in trunk_specs(96, 64, 512)]
        [(64, 96), (128, 48), (256, 24), (512, 12), (512, 6)]
    """
    levels, side = [FeatureSpec(width, 1)], image_size
    while side >= SMALLEST:
        if side % 2:
            raise ConfigError(
                f"residual blocks halve maps until they are smaller than {SMALLEST}x{SMALLEST}, and {image_size} "
                f"pixels come to {side}, which is odd: set an image_size like 32, 64, 96 or 128"
            )
        side //= 2
        # Half the side, twice the channels.
        levels.append(FeatureSpec(min(2 * levels[-1].channels, max_width), image_size // side))
    return tuple(levels)


class ResidualTrunk(nn.Module):
    """A 3x3 convolution, then residual blocks that halve a map as ``trunk_specs`` says.

    The weights keep torch's initial values. The N(0, 0.02) of FRGAN's code is about the same at its widths, but lets a
    signal fade in narrow blocks, which no norm restores.

    Args:
        in_channels: Channels of the input.
        image_size: Side of the frames, in pixels.
        width: Channels of the first maps.
        max_width: The most channels.
        dim: 2 for frames, 3 for clips. Clips are halved in time too while there is more than one frame.
        slope: Slope of the LeakyReLUs; 0 makes them ReLUs.

    Attributes:
        levels: Channels and strides of the outputs.
    """

    def __init__(self, in_channels: int, image_size: int, width: int, max_width: int, dim: int = 2, slope: float = 0.0):
        super().__init__()
        self.levels = trunk_specs(image_size, width, max_width)
        self.side = image_size // self.levels[-1].stride  # of the coarsest maps
        widths = [level.channels for level in self.levels]
        self.start = (nn.Conv2d, ClipConv3d)[dim - 2](in_channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResidualDown(width_in, width_out, dim, slope) for width_in, width_out in pairwise(widths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of all levels, fine to coarse, of samples (N, C, [T,] H, W)."""
        maps = [self.start(x)]  # (N, width, [T,] H, W)
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps
