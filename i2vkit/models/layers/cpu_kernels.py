"""Kernels of the transposed (1+2)D convolution that are faster on a CPU only.

``on_cpu`` decides. Beside each call of a kernel of this file stands the plain expression that every other device
computes, so that neither a GPU nor a graph that is compiled for one ever runs them.
"""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

# Up to this many pixels a frame, a matrix product with overlap-add is faster than conv_transpose2d.
_PRODUCT_PIXELS = 16
# Up to this many pixels a frame, plain 3D convolutions are faster in fp32 as soon as gradients are wanted.
_REFERENCE_PIXELS = 64
# A product of few rows is split into so many parts.
_PARTS = 16
# Matrix products as 1x1 convolutions, by (one thread or more): the number of images that the rows are put into, and the
# number of rows from which on this is faster.
_CONVOLVED = {True: (16, 256), False: (2, 64)}


def on_cpu(x: Tensor) -> bool:
    """Return true if ``x`` is on a CPU, for which the kernels of this file are made."""
    return x.device.type == "cpu"


# Dynamo cannot trace this call. The number of threads is set once, when a process starts.
@torch.compiler.assume_constant_result
def _on_one_thread() -> bool:
    """Return true if torch computes on one thread."""
    return torch.get_num_threads() == 1


def _is_full_precision(x: Tensor) -> bool:
    """Return true if products of ``x`` are computed in fp32."""
    return x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")


def reference_is_faster(x: Tensor) -> bool:
    """Return true if two plain 3D convolutions are the fastest for ``x`` (B, C, T, H, W).

    That holds for small frames, but not for single pixels, in fp32 where gradients are needed.
    """
    return torch.is_grad_enabled() and _is_full_precision(x) and 1 < x.shape[3] * x.shape[4] <= _REFERENCE_PIXELS


def product(rows: Tensor, weight: Tensor) -> Tensor:
    """Return ``rows`` (N, C) times ``weight`` (C, M).

    In fp32 it is computed as a 1x1 convolution by oneDNN, at up to twice the rate of MKL's matrix product on AMD
    processors. On one thread torch does not use oneDNN for batches below 16.
    """
    images, least = _CONVOLVED[_on_one_thread()]
    if not _is_full_precision(rows) or len(rows) < least or len(rows) % images:
        return rows @ weight
    # (N, C) -> (images, C, N / images, 1), and back.
    columns = rearrange(rows, "(n h) c -> n c h 1", n=images)
    return rearrange(functional.conv_transpose2d(columns, weight[..., None, None]), "n m h 1 -> (n h) m")


def few_rows_product(rows: Tensor, weight: Tensor) -> Tensor:
    """Return ``rows`` (N, C) times ``weight`` (C, M), where N is smaller than C.

    Parts of the sums are computed side by side.
    """
    if len(weight) % _PARTS:
        return rows @ weight
    # (parts, N, C / parts) x (parts, C / parts, M) -> (parts, N, M) -> (N, M)
    return torch.bmm(rearrange(rows, "n (k c) -> k n c", k=_PARTS), weight.unflatten(0, (_PARTS, -1))).sum(dim=0)


def takes_overlap_add(frames: Tensor, kernel: int, stride: int, padding: int) -> bool:
    """Return true if ``overlap_add`` is faster than conv_transpose2d for ``frames`` (N, M, H, W)."""
    return frames.shape[2] * frames.shape[3] <= _PRODUCT_PIXELS and (kernel, stride, padding) == (4, 2, 1)


def overlap_add(frames: Tensor, weight: Tensor) -> Tensor:
    """Return a transposed convolution, 4x4, stride 2, padding 1, without bias.

    Every input pixel makes a 4x4 patch, and patches are two pixels apart. A patch has two halves along each axis, and
    its second half falls on the first half of the next patch.

    Args:
        frames: (N, M, H, W).
        weight: (M, C, 4, 4).

    Returns:
        (N, 2 H, 2 W, C).
    """
    number, _, height, width = frames.shape
    pixels = rearrange(frames, "n m h w -> (n h w) m")  # one row for each input pixel
    # The weight is larger than the patches, so it is read in its own layout, and the patches are rearranged.
    patches = product(pixels, weight.flatten(1))
    # Rows (N H W, C 4 4) -> (N, H, W, 2, 2, 2, 2, C): the halves a, b of a patch and the pixels p, q in a half.
    patches = rearrange(
        patches, "(n h w) (c a p b q) -> n h w a p b q c", n=number, h=height, w=width, a=2, p=2, b=2, q=2
    )
    # Overlap-add along the height, (N, H + 1, W, 2, 2, 2, C), then along the width, (N, H + 1, W + 1, 2, 2, C).
    one, two = patches[:, :, :, 0], patches[:, :, :, 1]
    rows = torch.cat([one[:, :1], one[:, 1:] + two[:, :-1], two[:, -1:]], dim=1)
    one, two = rows[:, :, :, :, 0], rows[:, :, :, :, 1]
    made = torch.cat([one[:, :, :1], one[:, :, 1:] + two[:, :, :-1], two[:, :, -1:]], dim=2)
    # The padding of 1 cuts the border off.
    return rearrange(made, "n h w p q c -> n (h p) (w q) c")[:, 1:-1, 1:-1]
