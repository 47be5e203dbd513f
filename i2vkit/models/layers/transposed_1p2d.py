"""The transposed (1+2)D convolution, and the kernels that compute it.

This module alone knows how the mathematics is computed; ``plain`` is the textbook form, everything else computes the
same numbers in less time.
"""

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

# Up to this many pixels a frame, a matrix product with overlap-add is faster on a CPU than conv_transpose2d.
_PRODUCT_PIXELS = 16


class TransposedConv1p2d(nn.Module):
    """Transposed convolutions in time (k, 1, 1), batch norm, LeakyReLU, then in space (1, k, k) (ImaGINator, sec. 3.1).

    ``time`` and ``space`` are (kernel, stride, padding). Some of the ``in_channels`` may be constant in time: they come
    as ``still`` and stand behind the channels of ``x``. The parameters are those of two ``ConvTranspose3d``, whatever
    computes them; ``plain = True`` computes with these two as they are.
    """

    def __init__(
        self,
        in_channels: int,
        temporal_channels: int,
        out_channels: int,
        time: tuple[int, int, int],
        space: tuple[int, int, int],
    ):
        super().__init__()
        (kt, st, pt), (ks, ss, ps) = time, space
        self.temporal = nn.ConvTranspose3d(in_channels, temporal_channels, (kt, 1, 1), (st, 1, 1), (pt, 0, 0))
        self.norm = nn.BatchNorm3d(temporal_channels)
        self.spatial = nn.ConvTranspose3d(temporal_channels, out_channels, (1, ks, ks), (1, ss, ss), (0, ps, ps))
        self.plain = False

    def forward(self, x: Tensor, still: Tensor | None = None) -> Tensor:
        """``x`` (B, C, T, H, W) and ``still`` (B, C', H, W) to (B, out_channels, T', H', W')."""
        if self.plain:
            x = x if still is None else torch.cat([x, repeat(still, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
            return self.spatial(functional.leaky_relu(self.norm(self.temporal(x)), 0.2))
        batch, _, _, height, width = x.shape
        (_, stride, padding), weight = _time(self.temporal), self.temporal.weight[:, :, :, 0, 0]
        steps = rearrange(x, "b c t h w -> t (b h w) c")
        pixels = None if still is None else rearrange(still, "b c h w -> (b h w) c")
        made = temporal_product(steps, pixels, weight, self.temporal.bias, stride, padding)
        phases = made.shape[0]
        # Batch norm and the spatial convolution do not mind the order of the frames: it is put right afterwards, where
        # the channels are few.
        frames = rearrange(made, "r j (b h w) m -> (r j b) m 1 h w", b=batch, h=height, w=width)
        frames = functional.leaky_relu(self.norm(frames), 0.2, inplace=True)[:, :, 0]
        frames = spatial_product(frames, self.spatial)
        return rearrange(frames, "(r j b) c h w -> b (j r) h w c", r=phases, b=batch).permute(0, 4, 1, 2, 3)


def _time(convolution: nn.ConvTranspose3d) -> tuple[int, int, int]:
    return convolution.kernel_size[0], convolution.stride[0], convolution.padding[0]


def _taps(kernel: int, stride: int, padding: int) -> list[list[tuple[int, int]]]:
    """For every phase r of the outputs stride * j + r: which input j + shift meets which tap of the kernel.

    >>> _taps(4, 2, 1)  # even frames read the input before and their own, odd frames their own and the next
    [[(-1, 3), (0, 1)], [(0, 2), (1, 0)]]
    """
    return [
        sorted(((r + padding - tap) // stride, tap) for tap in range(kernel) if (r + padding - tap) % stride == 0)
        for r in range(stride)
    ]


def temporal_product(
    steps: Tensor, still: Tensor | None, weight: Tensor, bias: Tensor, stride: int, padding: int
) -> Tensor:
    """A transposed convolution in time as one matrix product a phase.

    ``steps`` (T, N, C), ``still`` (N, C') the same at every step, ``weight`` (C + C', M, kernel), the kernel a multiple
    of the stride. Returns (stride, J, N, M): [r, j] is the output at time stride * j + r.
    """
    length, pixels, channels = steps.shape
    kernel = weight.shape[2]
    taps = _taps(kernel, stride, padding)
    number = len(taps[0])
    outputs = ((length - 1) * stride - 2 * padding + kernel) // stride

    first, last = min(phase[0][0] for phase in taps), max(phase[-1][0] for phase in taps)
    padded = functional.pad(steps, (0, 0, 0, 0, -first, outputs - 1 + last - (length - 1)))
    # Window i holds the inputs i .. i + number - 1 side by side; a phase reads every window from a start of its own on.
    windows = torch.cat([padded[i : len(padded) - number + 1 + i] for i in range(number)], dim=2)
    starts = [phase[0][0] - first for phase in taps]
    if starts == list(range(stride)):
        rows = windows.unfold(0, outputs, 1).permute(0, 3, 1, 2)  # overlapping views, no copy
    else:
        rows = torch.stack([windows[start : start + outputs] for start in starts])
    moving = weight[:channels]
    matrices = torch.stack([torch.cat([moving[:, :, tap] for _, tap in phase]) for phase in taps])
    made = torch.bmm(rows.flatten(1, 2), matrices)
    made = rearrange(made, "r (j n) m -> r j n m", n=pixels)
    if still is None:
        return made.add_(bias.to(made.dtype))

    # What does not change with time enters once a clip: the sum over all taps, and less where the clip begins or ends.
    constant = weight[channels:]
    terms = {tap: still @ constant[:, :, tap] for phase in taps for _, tap in phase}
    inside = torch.stack([sum(terms[tap] for _, tap in phase) for phase in taps])
    made = made.add_((inside + bias.to(inside.dtype))[:, None])
    for r, phase in enumerate(taps):
        for shift, tap in phase:
            for j in range(outputs):
                if not 0 <= j + shift < length:
                    made[r, j].sub_(terms[tap])
    return made


def spatial_product(frames: Tensor, convolution: nn.ConvTranspose3d) -> Tensor:
    """The spatial convolution on frames (N, C, H, W), channels last, by the kernel that suits their size."""
    weight, bias = convolution.weight[:, :, 0], convolution.bias
    _, kernel, _ = convolution.kernel_size
    _, stride, _ = convolution.stride
    _, padding, _ = convolution.padding
    pixels = frames.shape[2] * frames.shape[3]
    if pixels == 1 and padding == 0:
        made = rearrange(frames, "n m 1 1 -> n m") @ rearrange(weight, "m c a b -> m (a b c)")
        made = rearrange(made, "n (a b c) -> n a b c", a=kernel, b=kernel)
    elif pixels <= _PRODUCT_PIXELS and (kernel, stride, padding) == (4, 2, 1) and frames.device.type == "cpu":
        made = _overlap_add(frames, weight)
    else:
        return functional.conv_transpose2d(frames, weight, bias, stride, padding)
    return (made + bias.to(made.dtype)).permute(0, 3, 1, 2)


def _overlap_add(frames: Tensor, weight: Tensor) -> Tensor:
    """4x4, stride 2, padding 1, without bias: (N, M, H, W) to (N, 2 H, 2 W, C).

    Every input pixel makes a 4x4 patch, two pixels apart: two halves, of which the second falls on the first half of
    the next patch.
    """
    pixels = rearrange(frames, "n m h w -> n h w m")
    patches = pixels @ rearrange(weight, "m c a b -> m (a b c)")
    patches = rearrange(patches, "n h w (a p b q c) -> n h w a p b q c", a=2, p=2, b=2, q=2)
    one, two = patches[:, :, :, 0], patches[:, :, :, 1]
    rows = torch.cat([one[:, :1], one[:, 1:] + two[:, :-1], two[:, -1:]], dim=1)
    one, two = rows[:, :, :, :, 0], rows[:, :, :, :, 1]
    made = torch.cat([one[:, :, :1], one[:, :, 1:] + two[:, :, :-1], two[:, :, -1:]], dim=2)
    return rearrange(made, "n h w p q c -> n (h p) (w q) c")[:, 1:-1, 1:-1]


@torch.no_grad()
def fold_batch_norm_(convolution: nn.ConvTranspose3d, norm: nn.BatchNorm3d) -> None:
    """Put what ``norm`` does in eval mode into the transposed convolution before it."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    convolution.weight.mul_(scale[None, :, None, None, None])
    convolution.bias.copy_((convolution.bias - norm.running_mean) * scale + norm.bias)
