"""Helpers of decoders that make a whole clip at once: the kernels of their blocks, and the clip lengths that follow."""

from math import prod

import torch
from einops import repeat
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import ClipLengths
from i2vkit.models.layers.clip_convolution import ClipConvTranspose3d
from i2vkit.structures import Content, Motion

# Kernel and stride in time of every block, for 1 -> 2 -> 4 -> 8 -> 16 -> 32 frames.
TIME = ((2, 1), (4, 2), (4, 2), (4, 2), (4, 2))


class TransposedConvPlan:
    """The kernels of the blocks that turn a code at 1x1x1 into a clip.

    The first block makes maps of ``side`` x ``side`` pixels, and as many frames as its kernel is long. Every other
    block doubles the side, and multiplies the number of frames by its stride in time. The code is repeated at the input
    to make a longer clip.

    Args:
        name: Class of the part, for messages.
        image_size: Side of the image in pixels.
        doublings: Number of blocks behind the first.
        time: Kernel and stride in time of every block.

    Raises:
        ConfigError: The image size or the kernels do not fit.
    """

    def __init__(self, name: str, image_size: int, doublings: int, time: tuple[tuple[int, int], ...]):
        self.side = image_size >> doublings
        if self.side < 1 or self.side << doublings != image_size:
            sizes = ClipLengths(1 << doublings, 1 << doublings)
            raise ConfigError(
                f"{name} doubles {doublings} times, so it makes images of {sizes} pixels, not of {image_size}: set "
                f"image_size to one of these, or give other widths"
            )
        if len(time) != doublings + 1 or any(kernel % stride or (kernel - stride) % 2 for kernel, stride in time[1:]):
            raise ConfigError(
                f"{name} has {doublings + 1} blocks and time is (kernel, stride) of each; from the second block on a "
                f"kernel is a multiple of its stride and exceeds it by an even number; got {time}"
            )
        (kernel, stride), *others = time
        # (kernel, stride, padding) of every block. With padding (kernel - stride) / 2 a block makes exactly ``stride``
        # times as many frames or pixels as it gets.
        self.time = [(kernel, stride, 0), *((k, s, (k - s) // 2) for k, s in others)]
        self.space = [(self.side, 1, 0), *[(4, 2, 1)] * doublings]
        # The shortest clip has one code at the input. Each further code moves the kernel of the first block by its
        # stride, and the other blocks multiply the frames.
        growth = prod(s for _, s in others)
        self.lengths = ClipLengths(kernel * growth, stride * growth)

    def start(self, code: Tensor, length: int) -> Tensor:
        """Return the code (B, D), repeated as often as a clip of ``length`` frames needs it: (B, D, n, 1, 1)."""
        # The number n of codes.
        number = 1 + (length - self.lengths.shortest) // self.lengths.step
        return repeat(code, "b d -> b d n 1 1", n=number)

    def transposed_3d(self, i: int, in_channels: int, out_channels: int) -> nn.ConvTranspose3d:
        """Return block ``i`` as one transposed 3D convolution."""
        # Kernel, stride and padding, in time (t) and in space (s).
        (kt, st, pt), (ks, ss, ps) = self.time[i], self.space[i]
        return ClipConvTranspose3d(in_channels, out_channels, (kt, ks, ks), (st, ss, ss), (pt, ps, ps))


def clip_code(content: Content, motion: Motion) -> Tensor:
    """Return the code (B, D) that a clip is made from: [motion code, label, content code], without missing ones."""
    parts = (motion.code, motion.condition, content.code)
    # (B, D_m), (B, L) and (B, D_c) -> (B, D_m + L + D_c)
    return torch.cat([part for part in parts if part is not None], dim=1)
