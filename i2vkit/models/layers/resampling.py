"""3x3 convolutions that halve or double a map, each as one kernel, and convolutions of channels that stand still.

A convolution followed by average pooling is one strided convolution with a 4x4 kernel, nearest upsampling followed by a
convolution one transposed convolution: the same numbers from about half the products. The parameters are those of the
3x3 convolution, whatever computes them; ``plain = True`` computes with the two steps as they are.
"""

from collections.abc import Callable, Sequence

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional


def widened(weight: Tensor, axes: Sequence[int]) -> Tensor:
    """A kernel plus itself one place further, along each of ``axes`` (2 and later), which grow from 3 to 4.

    >>> widened(torch.tensor([[[1.0, 2.0, 3.0]]]), [2]).tolist()
    [[[1.0, 3.0, 5.0, 3.0]]]
    """
    # One matrix product over the places of the kernel: for layers of many channels the sums would take longer than what
    # a smaller kernel saves.
    step = weight.new_tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    matrix, shape = weight.new_ones(1, 1), list(weight.shape[:2])
    for axis in range(2, weight.dim()):
        own = step if axis in axes else torch.eye(3).to(weight)
        matrix = torch.kron(matrix, own)
        shape.append(own.shape[1])
    return (weight.flatten(2) @ matrix).view(shape)


def halved(shape: Sequence[int]) -> tuple[int, ...]:
    """By what pooling divides maps of this size: 2, but 1 where there is one place left."""
    return tuple(2 if size > 1 else 1 for size in shape)


class PooledConv(nn.Module):
    """A 3x3 (or 3x3x3) convolution, then average pooling by 2; an axis of length 1 stays."""

    def __init__(self, in_channels: int, out_channels: int, dim: int = 2):
        super().__init__()
        self.convolution = (nn.Conv2d, nn.Conv3d)[dim - 2](in_channels, out_channels, 3, padding=1)
        self.plain = False

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, [T,] H, W) to (N, C', [T/2,] H/2, W/2)."""
        pool = halved(x.shape[2:])
        if self.plain:
            return average_pool(self.convolution(x))
        axes = [axis for axis, step in enumerate(pool, start=2) if step == 2]
        weight = widened(self.convolution.weight, axes) / 2 ** len(axes)
        convolve = functional.conv2d if len(pool) == 2 else functional.conv3d
        return convolve(x, weight, self.convolution.bias, stride=pool, padding=1)


def average_pool(x: Tensor) -> Tensor:
    """The mean of every 2x2 (or 2x2x2) places; an axis of length 1 stays."""
    pool = halved(x.shape[2:])
    return (functional.avg_pool2d if len(pool) == 2 else functional.avg_pool3d)(x, pool)


def join_still(still: Tensor | None, moving: Tensor) -> Tensor:
    """Maps that stand still (B, C', H, W), at every frame, before those that move (B T, C, H, W), T following B."""
    if still is None:
        return moving
    spread = repeat(still, "b c h w -> (b t) c h w", t=len(moving) // len(still))
    return torch.cat([spread, moving], dim=1)


class StillConv2d(nn.Conv2d):
    """A 3x3 convolution of maps of which the first channels may stand still: their part is computed once a clip."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 3, padding=1)
        self.plain = False

    def forward(self, moving: Tensor, still: Tensor | None = None) -> Tensor:
        """``moving`` (B T, C, H, W) and ``still`` (B, C', H, W), which stands before it."""
        if self.plain:
            return super().forward(join_still(still, moving))
        return _in_two(lambda x, weight, bias: functional.conv2d(x, weight, bias, padding=1), self, moving, still)


class UpsampledConv(nn.Module):
    """Nearest upsampling by 2, then a 3x3 convolution; channels that stand still as for ``StillConv2d``."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.plain = False

    def forward(self, moving: Tensor, still: Tensor | None = None) -> Tensor:
        """``moving`` (B T, C, H, W) and ``still`` (B, C', H, W) to (B T, C'', 2 H, 2 W)."""
        if self.plain:
            return self.convolution(functional.interpolate(join_still(still, moving), scale_factor=2, mode="nearest"))
        return _in_two(_transposed, self.convolution, moving, still)


def _transposed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    kernel = rearrange(widened(weight, (2, 3)).flip(2, 3), "o i h w -> i o h w")
    return functional.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def _in_two(convolve: Callable, layer: nn.Conv2d, moving: Tensor, still: Tensor | None) -> Tensor:
    """The part of the still channels once a clip, that of the moving ones at every frame, and their sum."""
    if still is None:
        return convolve(moving, layer.weight, layer.bias)
    if len(still) == len(moving):  # one frame a clip
        return convolve(torch.cat([still, moving], dim=1), layer.weight, layer.bias)
    channels = still.shape[1]
    constant = convolve(still, layer.weight[:, :channels], layer.bias)
    made = convolve(moving, layer.weight[:, channels:], None)
    made = rearrange(made, "(b t) c h w -> b t c h w", b=len(still)) + constant[:, None]
    return rearrange(made, "b t c h w -> (b t) c h w")
