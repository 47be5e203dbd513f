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
# Up to this many pixels a frame, plain 3D convolutions are faster on a CPU in fp32 as soon as gradients are wanted.
_PLAIN_PIXELS = 64
# Into so many parts a product of few rows is split.
_PARTS = 16
# Matrix products as 1x1 convolutions on a CPU: with one thread, and with more, the images into which rows are put, and
# the rows from which on it is faster.
_CONVOLVED = {True: (16, 256), False: (2, 64)}


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
        if self.plain or _plain_is_faster(x):
            x = x if still is None else torch.cat([x, repeat(still, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
            # Channels first: on a CPU these kernels lose a third of their rate with channels last.
            return self.spatial(functional.leaky_relu(self.norm(self.temporal(x.contiguous())), 0.2))
        # No slices and no selections of the weights: their backward pass fills a tensor of zeros each.
        (_, stride, padding), channels = _time(self.temporal), x.shape[1]
        weight = self.temporal.weight.flatten(2)
        moving, constant = weight.split([channels, len(weight) - channels])
        steps = rearrange(x, "b c t h w -> b t h w c").contiguous()
        made = temporal_product(steps, moving, stride, padding)
        made = add_still(made, still, constant, self.temporal.bias, x.shape[2], stride, padding)
        frames = rearrange(made, "b t h w m -> (b t) m 1 h w")
        frames = functional.leaky_relu(self.norm(frames), 0.2, inplace=True)[:, :, 0]
        return rearrange(spatial_product(frames, self.spatial), "(b t) c h w -> b c t h w", b=len(x))


def _plain_is_faster(x: Tensor) -> bool:
    """Whether two plain 3D convolutions are the fastest for ``x`` (B, C, T, H, W): small frames, but not single pixels,
    in fp32 on a CPU, where gradients are wanted.
    """
    return torch.is_grad_enabled() and _is_full_precision_on_cpu(x) and 1 < x.shape[3] * x.shape[4] <= _PLAIN_PIXELS


def _is_full_precision_on_cpu(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")


def _time(convolution: nn.ConvTranspose3d) -> tuple[int, int, int]:
    return convolution.kernel_size[0], convolution.stride[0], convolution.padding[0]


def temporal_product(steps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """A transposed convolution in time, without bias: (B, T, H, W, C) to (B, T', H, W, M).

    ``weight`` is (C, M, kernel); the kernel is a multiple of the stride.
    Where the weight is larger than what comes out, a matrix product; else a 3D convolution, or, which is faster on a
    CPU as long as no gradients are wanted, a 2D one with all pixels along one axis.
    """
    batch, length, height, width, channels = steps.shape
    if channels >= batch * length * height * width:
        return _overlap_add_in_time(steps, weight, stride, padding)
    if torch.is_grad_enabled():
        frames, kernels = rearrange(steps, "b t h w c -> b c t h w"), weight[..., None, None]
        made = functional.conv_transpose3d(frames, kernels, None, (stride, 1, 1), (padding, 0, 0))
        return rearrange(made, "b m t h w -> b t h w m")
    frames, kernels = rearrange(steps, "b t h w c -> b c t (h w)"), weight[..., None]
    made = functional.conv_transpose2d(frames, kernels, None, (stride, 1), (padding, 0))
    return rearrange(made, "b m t (h w) -> b t h w m", h=height)


def _overlap_add_in_time(steps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """``temporal_product`` as one product with the weight as it lies in memory, and an overlap-add over time."""
    batch, length, height, width, _ = steps.shape
    kernel = weight.shape[2]
    reach = kernel // stride
    taps = _product(rearrange(steps, "b t h w c -> (b t h w) c"), weight.flatten(1))
    sizes = dict(b=batch, t=length, h=height, w=width, i=reach, r=stride)
    taps = rearrange(taps, "(b t h w) (m i r) -> i b t r h w m", **sizes)
    # Tap stride * i + r of input t falls on output stride * (t + i) + r.
    full = sum(functional.pad(taps[i], (*[0] * 8, i, reach - 1 - i)) for i in range(reach))
    full = rearrange(full, "b t r h w m -> b (t r) h w m")
    return full[:, padding : (length - 1) * stride + kernel - padding].contiguous()


def add_still(
    made: Tensor, still: Tensor | None, weight: Tensor, bias: Tensor, length: int, stride: int, padding: int
) -> Tensor:
    """Add to ``made`` (B, T', H, W, M) the bias, and what inputs ``still`` (B, C', H, W) in time give.

    ``weight`` (C', M, kernel) is theirs, ``length`` the number of frames that went in. Such inputs enter once a clip:
    the sum over all taps, and less where the clip begins or ends. Without gradients ``made`` is changed in place.
    """
    if still is None:
        return made + bias.to(made.dtype)
    kernel, outputs = weight.shape[2], made.shape[1]
    terms = _product(rearrange(still, "b c h w -> (b h w) c"), weight.flatten(1))
    sizes = dict(b=len(still), h=still.shape[2], k=kernel)
    terms = rearrange(terms, "(b h w) (m k) -> k b h w m", **sizes).contiguous()
    bias = bias.to(terms.dtype)
    seen = [tuple(_taps(t, kernel, stride, padding, length)) for t in range(outputs)]
    sums = {taps: sum((terms[tap] for tap in taps), start=bias) for taps in set(seen)}
    if torch.is_grad_enabled():
        return made + torch.stack([sums[taps] for taps in seen], dim=1)
    for t, taps in enumerate(seen):
        made[:, t] += sums[taps]
    return made


def _product(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows`` (N, C) times ``weight`` (C, M).

    In fp32 on a CPU as a 1x1 convolution: oneDNN computes it, at up to twice the rate of MKL's matrix product on AMD
    processors; on one thread torch does not ask oneDNN for batches below 16.
    """
    images, least = _CONVOLVED[torch.get_num_threads() == 1]
    if not _is_full_precision_on_cpu(rows) or len(rows) < least or len(rows) % images:
        return rows @ weight
    columns = rearrange(rows, "(n h) c -> n c h 1", n=images)
    return rearrange(functional.conv_transpose2d(columns, weight[..., None, None]), "n m h 1 -> (n h) m")


def _few_rows_product(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows`` (N, C), fewer than ``weight`` (C, M) has, times it.

    On a CPU in 16 parts of the sum, which are computed side by side.
    """
    if rows.device.type != "cpu" or len(weight) % _PARTS:
        return rows @ weight
    return torch.bmm(rearrange(rows, "n (k c) -> k n c", k=_PARTS), weight.unflatten(0, (_PARTS, -1))).sum(dim=0)


def _taps(output: int, kernel: int, stride: int, padding: int, length: int) -> list[int]:
    """The taps of the kernel through which an output frame sees one of ``length`` input frames.

    >>> [_taps(t, kernel=4, stride=2, padding=1, length=2) for t in range(4)]
    [[1], [0, 2], [1, 3], [2]]
    """
    place = output + padding
    return [tap for tap in range(kernel) if (place - tap) % stride == 0 and 0 <= place - tap < stride * length]


def spatial_product(frames: Tensor, convolution: nn.ConvTranspose3d) -> Tensor:
    """The spatial convolution on frames (N, C, H, W), channels last, by the kernel that suits their size."""
    weight, bias = convolution.weight.squeeze(2), convolution.bias
    _, kernel, _ = convolution.kernel_size
    _, stride, _ = convolution.stride
    _, padding, _ = convolution.padding
    pixels = frames.shape[2] * frames.shape[3]
    if pixels == 1 and padding == 0:
        made = _few_rows_product(rearrange(frames, "n m 1 1 -> n m"), weight.flatten(1)).unflatten(1, weight.shape[1:])
        return made + bias[:, None, None].to(made.dtype)
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
    number, _, height, width = frames.shape
    pixels = rearrange(frames, "n m h w -> (n h w) m")
    # The weight is larger than the patches: it is read as it lies in memory, and the patches are turned.
    patches = _product(pixels, weight.flatten(1))
    patches = rearrange(
        patches, "(n h w) (c a p b q) -> n h w a p b q c", n=number, h=height, w=width, a=2, p=2, b=2, q=2
    )
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
