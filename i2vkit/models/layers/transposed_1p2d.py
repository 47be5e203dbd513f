"""The transposed (1+2)D convolution: its reference form, and a faster form that computes the same numbers."""

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
    """A transposed (1+2)D convolution (ImaGINator, sec. 3.1).

    It is a transposed convolution in time (k, 1, 1), batch norm, LeakyReLU, then one in space (1, k, k). Some of the
    ``in_channels`` may be constant in time: they come as ``static`` and stand behind the channels of ``x``. The
    parameters are those of two ``ConvTranspose3d`` in both forms. The reference form computes with these two as they
    are. The fast form keeps the channels last, lets static channels enter once for each clip, and leaves the products
    to 2D convolutions and matrix products.

    Args:
        in_channels: Channels of the input, dynamic and static together.
        temporal_channels: Channels between the two convolutions.
        out_channels: Channels of the output.
        time: Kernel, stride and padding in time.
        space: Kernel, stride and padding in space.

    Examples:
        >>> layer = TransposedConv1p2d(4, 6, 2, time=(4, 2, 1), space=(4, 2, 1))
        >>> layer(torch.zeros(1, 4, 3, 8, 8)).shape
        torch.Size([1, 2, 6, 16, 16])
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
        """Return clips (B, out_channels, T', H', W').

        Args:
            x: (B, C, T, H, W).
            static: (B, C', H, W), or None.
        """
        if self.takes_reference(x) or (on_cpu(x) and cpu_kernels.reference_is_faster(x)):
            return self._reference(x, static)
        # A split and no slices of the weights (C + C', M, kernel): the backward pass of a slice fills zeros.
        (_, stride, padding), channels = _time(self.temporal), x.shape[1]
        weight = self.temporal.weight.flatten(2)
        dynamic, constant = weight.split([channels, len(weight) - channels])
        steps = rearrange(x, "b c t h w -> b t h w c").contiguous()  # channels last
        made = temporal_product(steps, dynamic, stride, padding)
        assert self.temporal.bias is not None, "the constructor builds it with a bias"
        made = add_static(made, static, constant, self.temporal.bias, x.shape[2], stride, padding)
        # Channels last in memory: (B, T', H, W, M) -> (B T', M, 1, H, W) for the 3D batch norm.
        frames = rearrange(made, "b t h w m -> (b t) m 1 h w")
        frames = functional.leaky_relu(self.norm(frames), 0.2, inplace=True)[:, :, 0]
        return rearrange(spatial_product(frames, self.spatial), "(b t) c h w -> b c t h w", b=len(x))

    def _reference(self, x: Tensor, static: Tensor | None) -> Tensor:
        # Static channels at every frame, behind the others: (B, C + C', T, H, W).
        """Return the same by the two convolutions as they are."""
        x = x if static is None else torch.cat([x, repeat(static, "b c h w -> b c t h w", t=x.shape[2])], dim=1)
        if on_cpu(x):  # where these kernels lose a third of their rate with channels last
            x = x.contiguous()
        return self.spatial(functional.leaky_relu(self.norm(self.temporal(x)), 0.2))


def _time(convolution: nn.ConvTranspose3d) -> tuple[int, int, int]:
    """Return kernel, stride and padding in time."""
    padding = convolution.padding[0]
    assert isinstance(padding, int), "a transposed convolution has numbers as padding"
    return convolution.kernel_size[0], convolution.stride[0], padding


def temporal_product(steps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return a transposed convolution in time, without bias: (B, T, H, W, C) to (B, T', H, W, M).

    Where the weight is larger than the output it is a matrix product, else a 2D convolution with all pixels along one
    axis. On a CPU where gradients are needed it is a 3D convolution, which is faster there.

    Args:
        steps: (B, T, H, W, C).
        weight: (C, M, kernel); the kernel is a multiple of the stride.
        stride: Stride in time.
        padding: Padding in time.
    """
    batch, length, height, width, channels = steps.shape
    if channels >= batch * length * height * width:
        return _overlap_add_in_time(steps, weight, stride, padding)
    made_length = (length - 1) * stride - 2 * padding + weight.shape[2]
    cut = kernel_is_cut(steps, weight.shape[2], made_length, length)
    if on_cpu(steps) and torch.is_grad_enabled() and not cut:
        # (B, C, T, H, W) and a kernel (C, M, kernel, 1, 1).
        frames, kernels = rearrange(steps, "b t h w c -> b c t h w"), weight[..., None, None]
        made = functional.conv_transpose3d(frames, kernels, None, (stride, 1, 1), (padding, 0, 0))
        return rearrange(made, "b m t h w -> b t h w m")
    # All pixels along one axis: (B, C, T, H W) and a kernel (C, M, kernel, 1).
    frames, kernels = rearrange(steps, "b t h w c -> b c t (h w)"), weight[..., None]
    made = functional.conv_transpose2d(frames, kernels, None, (stride, 1), (padding, 0))
    return rearrange(made, "b m t (h w) -> b t h w m", h=height)


def _overlap_add_in_time(steps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return ``temporal_product`` as one product with the weight in its own layout, and an overlap-add over time."""
    batch, length, height, width, _ = steps.shape
    kernel = weight.shape[2]
    reach = kernel // stride
    taps = _product(rearrange(steps, "b t h w c -> (b t h w) c"), weight.flatten(1))
    sizes = dict(b=batch, t=length, h=height, w=width, i=reach, r=stride)
    # Rows (B T H W, M kernel) -> (reach, B, T, stride, H, W, M)
    taps = rearrange(taps, "(b t h w) (m i r) -> i b t r h w m", **sizes)
    # Tap stride * i + r of input t falls on output stride * (t + i) + r.
    # Each (B, T, stride, H, W, M), padded in time to T + reach - 1.
    full = functional.pad(taps[0], (*[0] * 8, 0, reach - 1))
    for i in range(1, reach):
        full = full + functional.pad(taps[i], (*[0] * 8, i, reach - 1 - i))
    full = rearrange(full, "b t r h w m -> b (t r) h w m")
    return full[:, padding : (length - 1) * stride + kernel - padding].contiguous()


def _product(rows: Tensor, weight: Tensor) -> Tensor:
    """Return ``rows`` (N, C) times ``weight`` (C, M)."""
    return cpu_kernels.product(rows, weight) if on_cpu(rows) else rows @ weight


def add_static(
    made: Tensor, static: Tensor | None, weight: Tensor, bias: Tensor, length: int, stride: int, padding: int
) -> Tensor:
    """Return ``made`` plus the bias and the part of inputs that are constant in time.

    Such inputs enter once for each clip: the sum over all taps, and less where the clip begins or ends. Without
    gradients ``made`` is changed in place.

    Args:
        made: (B, T', H, W, M).
        static: Inputs (B, C', H, W), or None.
        weight: Their weight (C', M, kernel).
        bias: (M,).
        length: Number of frames of the input.
        stride: Stride in time.
        padding: Padding in time, at most kernel - stride.
    """
    if static is None:
        return made + bias.to(made.dtype)
    # One row for each pixel of a clip: (B H W, C') x (C', M kernel)
    terms = _product(rearrange(static, "b c h w -> (b h w) c"), weight.flatten(1))
    # Tap stride * i + r reaches output r of a group of ``stride`` outputs.
    sizes = dict(b=len(static), h=static.shape[2], m=weight.shape[1], r=stride)
    # -> (reach, B, stride, H, W, M)
    terms = rearrange(terms, "(b h w) (m i r) -> i b r h w m", **sizes).contiguous()
    bias = bias.to(terms.dtype)
    runs = _runs(len(terms), length)
    # (B, stride, H, W, M) for each run of groups.
    sums = [(terms[seen.start] if seen.stop - seen.start == 1 else terms[seen].sum(dim=0)) + bias for seen, _ in runs]
    start, outputs = -padding, made.shape[1]
    parts: list[Tensor] = []
    for each, (_, n) in zip(sums, runs, strict=True):
        stop = start + n * stride
        if n == 1:  # at either end of the clip, where the padding cuts some of a group off
            each = each[:, max(0, -start) : max(0, stride - max(0, stop - outputs))]
        if not torch.is_grad_enabled():
            made[:, max(0, start) : max(0, min(stop, outputs))].unflatten(1, (n, each.shape[1])).add_(each[:, None])
        elif on_cpu(made):  # copying whole blocks of memory is faster than copying an expanded tensor
            parts.extend([each] * n)
        else:  # its backward pass is one sum in place of n
            parts.append(repeat(each, "b r h w m -> b (n r) h w m", n=n))
        start = stop
    # Parts (B, n * stride, H, W, M), one after the other: (B, T', H, W, M).
    return made + torch.cat(parts, dim=1) if torch.is_grad_enabled() else made


def _runs(reach: int, length: int) -> list[tuple[slice, int]]:
    """Return the groups of taps that groups of outputs see, and how many outputs in a row see the same ones.

    Each of the ``length`` steps of the input reaches the group of outputs at its place and ``reach`` - 1 groups behind
    it.

    Examples:
        >>> _runs(reach=2, length=8)
        [(slice(0, 1, None), 1), (slice(0, 2, None), 7), (slice(1, 2, None), 1)]
    """
    seen = [(max(0, place - length + 1), min(reach, place + 1)) for place in range(length + reach - 1)]
    return [(slice(*taps), len(list(group))) for taps, group in groupby(seen)]


def spatial_product(frames: Tensor, convolution: nn.ConvTranspose3d) -> Tensor:
    """Return the spatial convolution of frames (N, C, H, W), channels last, by the kernel that suits their size."""
    weight, bias = convolution.weight.squeeze(2), convolution.bias
    assert bias is not None, "the constructor builds it with a bias"
    kernel, stride, padding = convolution.kernel_size[1], convolution.stride[1], convolution.padding[1]
    assert isinstance(padding, int), "a transposed convolution has numbers as padding"
    if frames.shape[2] * frames.shape[3] == 1 and padding == 0:
        # A single pixel: (N, M) x (M, O k k) -> (N, O, k, k)
        rows, matrix = rearrange(frames, "n m 1 1 -> n m"), weight.flatten(1)
        made = cpu_kernels.few_rows_product(rows, matrix) if on_cpu(rows) else rows @ matrix
        return made.unflatten(1, weight.shape[1:]) + bias[:, None, None].to(made.dtype)
    if on_cpu(frames) and cpu_kernels.takes_overlap_add(frames, kernel, stride, padding):
        made = cpu_kernels.overlap_add(frames, weight)
        return (made + bias.to(made.dtype)).permute(0, 3, 1, 2)  # (N, 2 H, 2 W, O) -> (N, O, 2 H, 2 W)
    return functional.conv_transpose2d(frames, weight, bias, stride, padding)


@torch.no_grad()
def fold_batch_norm_(convolution: nn.ConvTranspose3d, norm: nn.BatchNorm3d) -> None:
    """Fold ``norm``, as it is in eval mode, into the weights of the transposed convolution before it."""
    assert norm.running_mean is not None and norm.running_var is not None, "a norm in eval mode has statistics"
    assert convolution.bias is not None, "it takes up the shift of the norm"
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    convolution.weight.mul_(scale[None, :, None, None, None])  # (I, O, k, 1, 1), by output channel
    convolution.bias.copy_((convolution.bias - norm.running_mean) * scale + norm.bias)
