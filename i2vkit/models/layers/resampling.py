"""3x3 convolutions that halve or double a map, each as one kernel, and convolutions with static channels.

A convolution followed by average pooling is one strided convolution with a 4x4 kernel. Nearest upsampling followed by a
convolution is one transposed convolution. Both give the same numbers from about half the products. The parameters are
those of the 3x3 convolution in both forms; the reference form computes the two steps as they are (see ``forms``).
"""

from collections.abc import Callable, Sequence

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.layers.clip_convolution import ClipConv3d
from i2vkit.models.layers.cpu_kernels import on_cpu
from i2vkit.models.layers.forms import TwoForms


def merge_matrix(axes: int) -> Tensor:
    """Return the matrix (3^axes, 4^axes) by which ``merge_kernel`` multiplies the places of a kernel.

    Examples:
        >>> merge_matrix(1).int().tolist()
        [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    """
    # Of one axis (3, 4): each place of the kernel enters at its own place and at the next one.
    matrix, step = torch.ones(1, 1), torch.eye(4)[:3] + torch.eye(4)[1:]
    for _ in range(axes):
        matrix = torch.kron(matrix, step)
    return matrix


def merge_kernel(weight: Tensor, matrix: Tensor) -> Tensor:
    """Return a kernel plus itself one place further along each axis, which grow from 3 to 4.

    Args:
        weight: The kernel (O, I, 3, ...). Axes of length 1 are left as they are and not counted.
        matrix: ``merge_matrix(axes)``, or a multiple of it.

    Examples:
        >>> merge_kernel(torch.tensor([[[1.0, 2.0, 3.0]]]), merge_matrix(1)).tolist()
        [[[1.0, 3.0, 5.0, 3.0]]]
    """
    # One matrix product over the places of the kernel: (O, I, 3^axes) x (3^axes, 4^axes) -> (O, I, 4, ...). In wide
    # layers, sums of shifted kernels would cost more time than a smaller kernel saves.
    shape = [4 if size == 3 else 1 for size in weight.shape[2:]]
    return (weight.flatten(2) @ matrix.to(weight.dtype)).unflatten(2, shape)


def pool_sizes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the divisors by which pooling divides maps of this size: 2, but 1 for an axis with one place."""
    return tuple(2 if size > 1 else 1 for size in shape)


class PooledConv(TwoForms):
    """A 3x3 (or 3x3x3) convolution, then average pooling by 2; an axis of length 1 stays.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        dim: 2 for frames, 3 for clips.

    Examples:
        >>> PooledConv(3, 4)(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 4, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, dim: int = 2):
        super().__init__()
        self.convolution = (nn.Conv2d, ClipConv3d)[dim - 2](in_channels, out_channels, 3, padding=1)
        for axes in range(dim + 1):
            # Buffers, so that they lie where the weight lies: no copy to a GPU in a training step.
            self.register_buffer(f"merge_matrix_{axes}", merge_matrix(axes) / 2**axes, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, C', [T/2,] H/2, W/2) of maps (N, C, [T,] H, W)."""
        if self.takes_reference(x):
            return average_pool(self.convolution(x))
        pool, weight = pool_sizes(x.shape[2:]), self.convolution.weight
        for axis, step in enumerate(pool, start=2):
            if step == 1:  # on an axis of one place only the kernel's middle sees it, the rest sees padding
                weight = weight.narrow(axis, 1, 1)
        # The division by the number of pooled places is in the matrix.
        weight = merge_kernel(weight, getattr(self, f"merge_matrix_{pool.count(2)}"))
        convolve = functional.conv2d if len(pool) == 2 else functional.conv3d
        return convolve(x, weight, self.convolution.bias, stride=pool, padding=[step - 1 for step in pool])


def average_pool(x: Tensor) -> Tensor:
    """Return the mean of every 2x2 (or 2x2x2) places of maps (N, C, [T,] H, W).

    An axis of length 1 stays. The last place of an axis of odd length is left out.
    """
    pool = pool_sizes(x.shape[2:])
    if len(pool) == 2:
        return functional.avg_pool2d(x, pool)
    if on_cpu(x):
        return functional.avg_pool3d(x, pool)
    # On CUDA the backward pass of avg_pool3d adds up in any order, and PyTorch refuses it where order matters.
    for axis, step in enumerate(pool, start=2):
        if x.shape[axis] % step:  # only then, as the backward pass of a slice copies everything
            x = x.narrow(axis, 0, x.shape[axis] // step * step)
    a, b, d = pool  # of time, height and width
    return reduce(x, "n c (t a) (h b) (w d) -> n c t h w", "mean", a=a, b=b, d=d)


def adaptive_average_pool(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return maps (N, C, ...) averaged to ``sizes``, for inputs of any size, as torch's adaptive pooling does.

    Place i of n averages the places from i / n to (i + 1) / n of the axis, those that a bound cuts included. Torch's
    own has no backward pass on CUDA that always adds up in the same order.

    Examples:
        >>> adaptive_average_pool(torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), [2]).tolist()
        [[[2.0, 4.0]]]
    """
    for axis, (length, number) in enumerate(zip(x.shape[2:], sizes, strict=True), start=2):
        if length != number:
            # From the floor of i / n to the ceiling of (i + 1) / n of the axis.
            bounds = [(i * length // number, -(-(i + 1) * length // number)) for i in range(number)]
            means = [x.narrow(axis, start, stop - start).mean(dim=axis) for start, stop in bounds]
            x = torch.stack(means, dim=axis)  # means (N, C, ...) without this axis, put back along it
    return x


def join_static(static: Tensor | None, dynamic: Tensor) -> Tensor:
    """Return static maps (B, C', H, W), repeated for every frame, before dynamic ones (B T, C, H, W).

    The T frames of a clip follow each other.
    """
    if static is None:
        return dynamic
    spread = repeat(static, "b c h w -> (b t) c h w", t=len(dynamic) // len(static))  # (B T, C', H, W)
    return torch.cat([spread, dynamic], dim=1)


class StaticConv2d(TwoForms, nn.Conv2d):
    """A 3x3 convolution of maps whose first channels may be static: their part is computed once for each clip.

    Args:
        in_channels: Channels of static and dynamic maps together.
        out_channels: Channels of the output.

    Examples:
        >>> StaticConv2d(5, 4)(torch.zeros(6, 3, 8, 8), torch.zeros(2, 2, 8, 8)).shape  # 2 clips of 3 frames
        torch.Size([6, 4, 8, 8])
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, dynamic: Tensor, static: Tensor | None = None) -> Tensor:
        """Return maps (B T, O, H, W) of ``static`` (B, C', H, W) and, after it, ``dynamic`` (B T, C, H, W)."""
        if self.takes_reference(dynamic):
            return super().forward(join_static(static, dynamic))
        return _in_two(lambda x, weight, bias: functional.conv2d(x, weight, bias, padding=1), self, dynamic, static)


class UpsampledConv(TwoForms):
    """Nearest upsampling by 2, then a 3x3 convolution; static channels as of ``StaticConv2d``.

    Args:
        in_channels: Channels of static and dynamic maps together.
        out_channels: Channels of the output.
    """

    merge_matrix: Tensor

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.register_buffer("merge_matrix", merge_matrix(2), persistent=False)

    def forward(self, dynamic: Tensor, static: Tensor | None = None) -> Tensor:
        """Return maps (B T, O, 2 H, 2 W) of ``static`` (B, C', H, W) and, after it, ``dynamic`` (B T, C, H, W)."""
        if self.takes_reference(dynamic):
            return self.convolution(
                functional.interpolate(join_static(static, dynamic), scale_factor=2, mode="nearest")
            )
        return _in_two(self._transposed, self.convolution, dynamic, static)

    def _transposed(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        # A transposed convolution reads its kernel backwards, with the input channels first.
        """Return the two steps as one transposed convolution."""
        kernel = rearrange(merge_kernel(weight, self.merge_matrix).flip(2, 3), "o i h w -> i o h w")
        return functional.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def _in_two(convolve: Callable, layer: nn.Conv2d, dynamic: Tensor, static: Tensor | None) -> Tensor:
    """Return the convolution of static channels, once for each clip, plus that of dynamic ones at every frame.

    Args:
        convolve: From maps, a weight and a bias to maps.
        layer: The layer whose weight and bias it uses.
        dynamic: (B T, C, H, W).
        static: (B, C', H, W), or None.
    """
    if static is None:
        return convolve(dynamic, layer.weight, layer.bias)
    if len(static) == len(dynamic):  # one frame a clip
        return convolve(torch.cat([static, dynamic], dim=1), layer.weight, layer.bias)
    # The static channels come first in the weight (O, C' + C, ...).
    channels = static.shape[1]
    constant = convolve(static, layer.weight[:, :channels], layer.bias)
    made = convolve(dynamic, layer.weight[:, channels:], None)
    # (B T, O, H, W) -> (B, T, O, H, W) + (B, 1, O, H, W) -> (B T, O, H, W)
    made = rearrange(made, "(b t) c h w -> b t c h w", b=len(static)) + constant[:, None]
    return rearrange(made, "b t c h w -> (b t) c h w")
