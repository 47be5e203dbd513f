"""Bilinear warping of frames by a flow, and the units of flows and points.

A flow is in pixels here. Motions and points have the units of ``structures.Points``: -1 is the centre of the first
pixel and 1 that of the last (corners aligned), so that a flow means the same at every size. ``flow_in_pixels``
converts.
"""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional


def warp(frames: Tensor, flow: Tensor) -> Tensor:
    """Return ``frames`` moved by ``flow``: each pixel takes the value at a distance of ``flow`` pixels.

    Beyond the picture its border goes on. The gradient passes to the flow and to the frames. Two forms compute the same
    numbers, up to rounding. ``grid_sample`` is the faster one on a CPU. Its backward pass on CUDA adds up in an
    arbitrary order, and PyTorch refuses it under ``torch.use_deterministic_algorithms``. There, and in code that
    ``torch.compile`` traces, the four neighbours are gathered by index instead.

    Args:
        frames: (B, C, T or 1, H, W). One frame serves all T flows of its clip; the gathered form never copies it.
        flow: (B, 2, T, H, W), x before y, in pixels. With a flow of (1, 0) everywhere the picture moves one pixel to
            the left.

    Returns:
        Frames (B, C, T, H, W).

    Examples:
        >>> row = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).view(1, 1, 1, 1, 4)
        >>> flow = torch.zeros(1, 2, 1, 1, 4)
        >>> flow[:, 0] = 1.0
        >>> warp(row, flow).flatten().tolist()
        [2.0, 3.0, 4.0, 4.0]
    """
    if torch.are_deterministic_algorithms_enabled() or torch.compiler.is_compiling():
        return warp_gathered(frames, flow)
    return warp_sampled(frames, flow)


def flow_in_pixels(flow: Tensor, height: int, width: int) -> Tensor:
    """Return ``flow`` (B, 2, T, h, w) in the units of ``Points`` as (B, 2, T, height, width) in pixels.

    It is interpolated bilinearly. The first and last values of a row or column stand at the first and last pixels.

    Examples:
        >>> flow = torch.tensor([0.0, 2.0]).view(1, 1, 1, 1, 2).expand(1, 2, 1, 1, 2)
        >>> flow_in_pixels(flow, 1, 5)[0, 0].flatten().tolist()  # 2 is the whole width: 4 pixels from centre to centre
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    for dim, size in ((3, height), (4, width)):
        flow = _resized(flow, dim, size)
    # Pixels in one unit, of x and of y. No tensor of the two: a GPU would wait for it.
    return torch.stack([flow[:, 0] * ((width - 1) / 2), flow[:, 1] * ((height - 1) / 2)], dim=1)


def _resized(values: Tensor, dim: int, size: int) -> Tensor:
    """Return ``values`` with ``size`` places along one axis, linear between the old ones; the ends stay the ends."""
    length = values.shape[dim]
    if length == size:
        return values
    # By index, since the backward pass of torch's interpolation adds up in no fixed order on CUDA.
    places = torch.linspace(0, length - 1, size, device=values.device, dtype=values.dtype)
    lower = places.floor()
    index = lower.long()
    before = values.index_select(dim, index)
    after = values.index_select(dim, (index + 1).clamp(max=length - 1))
    share = (places - lower).view([size if axis == dim else 1 for axis in range(values.dim())])
    return before + (after - before) * share


def flow_at(flow: Tensor, height: int, width: int) -> Tensor:
    """Return a flow (B, 2, T, h, w) in the units of ``Points`` for maps of another size, in pixels of these maps.

    A larger flow keeps the nearest offsets, a smaller one is interpolated (``flow_in_pixels``).

    Examples:
        >>> flow = torch.tensor([0.0, 9.0, 2.0, 9.0]).view(1, 1, 1, 1, 4).expand(1, 2, 1, 1, 4)
        >>> flow_at(flow, 1, 2)[0, 0].flatten().tolist()  # 2 is the whole width: 1 pixel from centre to centre
        [0.0, 1.0]
    """
    steps = max(1, flow.shape[3] // height), max(1, flow.shape[4] // width)
    return flow_in_pixels(flow[..., :: steps[0], :: steps[1]], height, width)


def warp_sampled(frames: Tensor, flow: Tensor) -> Tensor:
    """Return ``warp(frames, flow)``, computed by ``grid_sample``."""
    batch, _, length, height, width = flow.shape
    x, y = _places(flow)
    # grid_sample takes places from -1 to 1 over the outer edges of the picture: (B, T, H, W, 2).
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    # (B, C, T or 1, H, W) -> (B T, C, H, W), grid (B, T, H, W, 2) -> (B T, H, W, 2)
    frames = rearrange(frames.expand(-1, -1, length, -1, -1), "b c t h w -> (b t) c h w")
    moved = functional.grid_sample(frames, grid.flatten(0, 1), padding_mode="border", align_corners=False)
    return rearrange(moved, "(b t) c h w -> b c t h w", b=batch)


def warp_gathered(frames: Tensor, flow: Tensor) -> Tensor:
    """Return ``warp(frames, flow)`` by gathering the four neighbours of each place; a flow of 0 gives exact copies."""
    length, height, width = flow.shape[2:]
    x, y = _places(flow)
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    # The upper left neighbour; the shares below carry the gradient of the flow.
    left, top = x.detach().floor(), y.detach().floor()
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    pixels = rearrange(frames, "b c t h w -> b c t (h w)")
    if frames.shape[2] == 1 < length:
        pixels = pixels[:, :, 0]  # (B, C, H W): one frame serves all T, without a copy

    def at(row: Tensor, column: Tensor) -> Tensor:
        index = (row * width + column).long().flatten(2)  # (B, T, H W)
        index = index.flatten(1) if pixels.dim() == 3 else index  # (B, T H W) of one frame
        # The same places in all channels, (B, C, ...); then back to (B, C, T, H, W).
        index = index[:, None].expand(-1, pixels.shape[1], *index.shape[1:])
        return pixels.gather(-1, index).unflatten(-1, (-1, height, width)).view(*index.shape[:2], length, height, width)

    across, down = (x - left)[:, None], (y - top)[:, None]  # (B, 1, T, H, W), shares of the right and lower neighbour
    upper = at(top, left) * (1 - across) + at(top, right) * across
    lower = at(bottom, left) * (1 - across) + at(bottom, right) * across
    return upper * (1 - down) + lower * down


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places that pixels take their values from, x and y (B, T, H, W); pixel i has its centre at i."""
    height, width = flow.shape[3:]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    return columns + flow[:, 0], rows + flow[:, 1]  # (W,) and (H, 1) to (B, T, H, W)
