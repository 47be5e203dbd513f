"""The transposed (1+2)D convolution: its reference form, and the form that computes the same numbers in less time."""

from itertools import groupby

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.layers import cpu_kernels
from i2vkit.models.layers.clip_convolution import ClipConvTranspose3d, kernel_is_cut
from i2vkit.models.layers.cpu_kernels import on_cpu
from i2vkit.models.layers.forms import TwoForms


class TransposedConv1p2d(TwoForms):
    """Transposed convolutions in time (k, 1, 1), batch norm, LeakyReLU, then in space (1, k, k) (ImaGINator, sec. 3.1).

    ``time`` and ``space`` are (kernel, stride, padding). Some of the ``in_channels`` may be constant in time: they come
    as ``static`` and stand behind the channels of ``x``. The parameters are those of two ``ConvTranspose3d``, whatever
    computes them. The reference form computes with these two as they are. The fast form keeps the channels last, lets
    what is constant enter once a clip, and leaves the products to 2D convolutions and matrix products.
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
        self.temporal = ClipConvTranspose3d(in_channels, temporal_channels, (kt, 1, 1), (st, 1, 1), (pt, 0, 0))
        self.norm = nn.BatchNorm3d(temporal_channels)
        self.spatial = nn.ConvTranspose3d(temporal_channels, out_channels, (1, ks, ks), (1, ss, ss), (0, ps, ps))

    def forward(self, x: Tensor, static: Tensor | None = None) -> Tensor:
        """``x`` (B, C, T, H, W) and ``static`` (B, C', H, W) to (B, out_channels, T', H', W')."""
        if self.takes_reference(x) or (on_cpu(x) and cpu_kernels.reference_is_faster(x)):
            return self._reference(x, static)
        # No slices and no selections of the weights: their backward pass fills a tensor of zeros each.
        (_, stride, padding), channels = _time(self.temporal), x.shape[1]
        weight = self.temporal.weight.flatten(2)
        dynamic, constant = weight.split([channels, len(weight) - channels])
        steps = rearrange(x, "b c t h w -> b t h w c").contiguous()
        made = temporal_product(steps, dynamic, stride, padding)
        made = add_static(made, static, constant, self.temporal.bias, x.shape[2], stride, padding)
        frames = rearrange(made, "b t h w m -> (b t) m 1 h w")
        frames = functional.leaky_relu(self.norm(frames), 0.2, inplace=True)[:, :, 0]
        return rearrange(spatial_product(frames, self.spatial), "(b t) c h w -> b c t h w", b=len(x))

    def _reference(self, x: Tensor, static: Tensor | None) -> Tensor:
        x = x if static is None else torch.cat([x, repeat(static, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
        if on_cpu(x):  # where these kernels lose a third of their rate with channels last
            x = x.contiguous()
        return self.spatial(functional.leaky_relu(self.norm(self.temporal(x)), 0.2))


def _time(convolution: nn.ConvTranspose3d) -> tuple[int, int, int]:
    return convolution.kernel_size[0], convolution.stride[0], convolution.padding[0]


def temporal_product(steps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """A transposed convolution in time, without bias: (B, T, H, W, C) to (B, T', H, W, M).

    ``weight`` is (C, M, kernel); the kernel is a multiple of the stride. Where the weight is larger than what comes
    out, a matrix product; else a 2D convolution with all pixels along one axis, or, which is faster on a CPU where
    gradients are wanted, a 3D one.
    """
    batch, length, height, width, channels = steps.shape
    if channels >= batch * length * height * width:
        return _overlap_add_in_time(steps, weight, stride, padding)
    made_length = (length - 1) * stride - 2 * padding + weight.shape[2]
    cut = kernel_is_cut(steps, weight.shape[2], made_length, length)
    if on_cpu(steps) and torch.is_grad_enabled() and not cut:
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


def _product(rows: Tensor, weight: Tensor) -> Tensor:
    return cpu_kernels.product(rows, weight) if on_cpu(rows) else rows @ weight


def add_static(
    made: Tensor, static: Tensor | None, weight: Tensor, bias: Tensor, length: int, stride: int, padding: int
) -> Tensor:
    """Add to ``made`` (B, T', H, W, M) the bias, and what inputs ``static`` (B, C', H, W) in time give.

    ``weight`` (C', M, kernel) is theirs, ``length`` the number of frames that went in; ``padding`` is at most kernel -
    stride. Such inputs enter once a clip: the sum over all taps, and less where the clip begins or ends. Without
    gradients ``made`` is changed in place.
    """
    if static is None:
        return made + bias.to(made.dtype)
    terms = _product(rearrange(static, "b c h w -> (b h w) c"), weight.flatten(1))
    # Tap stride * i + r reaches output r of a group of ``stride`` outputs.
    sizes = dict(b=len(static), h=static.shape[2], m=weight.shape[1], r=stride)
    terms = rearrange(terms, "(b h w) (m i r) -> i b r h w m", **sizes).contiguous()
    bias = bias.to(terms.dtype)
    runs = _runs(len(terms), length)
    sums = [(terms[seen.start] if seen.stop - seen.start == 1 else terms[seen].sum(dim=0)) + bias for seen, _ in runs]
    start, outputs, parts = -padding, made.shape[1], []
    for each, (_, n) in zip(sums, runs, strict=True):
        stop = start + n * stride
        if n == 1:  # at either end of the clip, where the padding cuts some of a group off
            each = each[:, max(0, -start) : max(0, stride - max(0, stop - outputs))]
        if not torch.is_grad_enabled():
            made[:, max(0, start) : max(0, min(stop, outputs))].unflatten(1, (n, each.shape[1])).add_(each[:, None])
        elif on_cpu(made):  # copies of whole blocks of memory are faster than that of an expanded tensor
            parts.extend([each] * n)
        else:  # its backward pass is one sum in place of n
            parts.append(repeat(each, "b r h w m -> b (n r) h w m", n=n))
        start = stop
    return made + torch.cat(parts, dim=1) if torch.is_grad_enabled() else made


def _runs(reach: int, length: int) -> list[tuple[slice, int]]:
    """Return which of ``reach`` groups of taps the groups of outputs see, and how many outputs in a row see the same.

    Each of the ``length`` steps of the input reaches the group of outputs at its place and ``reach`` - 1 behind it.

    >>> _runs(reach=2, length=8)
    [(slice(0, 1, None), 1), (slice(0, 2, None), 7), (slice(1, 2, None), 1)]
    """
    seen = [(max(0, place - length + 1), min(reach, place + 1)) for place in range(length + reach - 1)]
    return [(slice(*taps), len(list(group))) for taps, group in groupby(seen)]


def spatial_product(frames: Tensor, convolution: nn.ConvTranspose3d) -> Tensor:
    """The spatial convolution on frames (N, C, H, W), channels last, by the kernel that suits their size."""
    weight, bias = convolution.weight.squeeze(2), convolution.bias
    _, kernel, _ = convolution.kernel_size
    _, stride, _ = convolution.stride
    _, padding, _ = convolution.padding
    if frames.shape[2] * frames.shape[3] == 1 and padding == 0:
        rows, matrix = rearrange(frames, "n m 1 1 -> n m"), weight.flatten(1)
        made = cpu_kernels.few_rows_product(rows, matrix) if on_cpu(rows) else rows @ matrix
        return made.unflatten(1, weight.shape[1:]) + bias[:, None, None].to(made.dtype)
    if on_cpu(frames) and cpu_kernels.takes_overlap_add(frames, kernel, stride, padding):
        made = cpu_kernels.overlap_add(frames, weight)
        return (made + bias.to(made.dtype)).permute(0, 3, 1, 2)
    return functional.conv_transpose2d(frames, weight, bias, stride, padding)


@torch.no_grad()
def fold_batch_norm_(convolution: nn.ConvTranspose3d, norm: nn.BatchNorm3d) -> None:
    """Put what ``norm`` does in eval mode into the transposed convolution before it."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    convolution.weight.mul_(scale[None, :, None, None, None])
    convolution.bias.copy_((convolution.bias - norm.running_mean) * scale + norm.bias)
