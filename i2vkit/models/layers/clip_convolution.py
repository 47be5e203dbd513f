"""3D convolutions whose gradients are right for clips that are shorter than their kernels, in bf16 on a CPU too.

oneDNN's bf16 kernel for the gradient of the weight fails where the padding cuts every step of the kernel in time. That
happens if the clip is shorter than the kernel, and there are two or more frames on the other side. It then adds up
uninitialised memory, and the gradient is NaN, infinite, or finite and wrong. Seen with torch 2.14.1 on an AMD processor
with AVX512_BF16, for instance with a 3x3x3 kernel and padding 1 on two frames. Without padding in time the kernel is
right.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.layers.cpu_kernels import on_cpu


def kernel_is_cut(x: Tensor, kernel: int, wide: int, narrow: int) -> bool:
    """Return true where the gradient of the weight would be wrong: in bf16 on a CPU, for a short clip.

    Args:
        x: The input, for its device and precision.
        kernel: Length of the kernel in time.
        wide: Frames on the side that is padded, which is the output of a transposed convolution.
        narrow: Frames on the other side.
    """
    if not (on_cpu(x) and wide < kernel and narrow > 1):
        return False
    return x.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu")


class ClipConv3d(nn.Conv3d):
    """``nn.Conv3d`` with the right gradients for short clips. Padding is of zeros, dilation in time is 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve clips (N, C, T, H, W)."""
        length, kernel, padding = x.shape[2], self.kernel_size[0], self.padding
        assert not isinstance(padding, str), "padding is given as numbers"
        ahead, *beside = padding  # in time, and in height and width
        if not kernel_is_cut(x, kernel, length, (length + 2 * ahead - kernel) // self.stride[0] + 1):
            return super().forward(x)
        # Explicit zeros in place of padding: (N, C, T + 2 ahead, H, W).
        padded = functional.pad(x, (0, 0, 0, 0, ahead, ahead))
        return functional.conv3d(padded, self.weight, self.bias, self.stride, (0, *beside), self.dilation, self.groups)


class ClipConvTranspose3d(nn.ConvTranspose3d):
    """``nn.ConvTranspose3d`` with the right gradients for short clips. Dilation in time is 1."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # nobody gives it an output_size
        """Convolve clips (N, C, T, H, W) transposed."""
        kernel, padding = self.kernel_size[0], self.padding
        assert not isinstance(padding, str), "a transposed convolution has numbers as padding"
        ahead, *beside = padding  # in time, and in height and width
        length = (x.shape[2] - 1) * self.stride[0] - 2 * ahead + kernel
        if not kernel_is_cut(x, kernel, length, x.shape[2]):
            return super().forward(x)
        made = functional.conv_transpose3d(x, self.weight, self.bias, self.stride, (0, *beside), groups=self.groups)
        # The padding of a transposed convolution cuts frames off, here after it.
        return made.narrow(2, ahead, length)
