"""Learned points: where they lie, how far they spread, and their heatmaps, in the units of ``structures.Points``."""

import torch
from einops import rearrange
from torch import Tensor

from i2vkit.structures import Points

_TINY = 1e-7  # added to each probability, as in the released code of Monkey-Net


def grid_of(height: int, width: int, like: Tensor) -> Tensor:
    """Return the places (height, width, 2) of all pixels, x before y, from -1 to 1, on the device of ``like``.

    Examples:
        >>> grid_of(2, 3, torch.zeros(1))[1].tolist()
        [[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]
    """
    x, y = (torch.linspace(-1, 1, size, device=like.device, dtype=like.dtype) for size in (width, height))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def probabilities(logits: Tensor, temperature: float) -> Tensor:
    """Return softmax(logits / temperature) over the places of each map (N, K, H, W), plus 1e-7."""
    return (logits.flatten(2) / temperature).softmax(dim=2).view_as(logits) + _TINY


def means(weights: Tensor) -> Tensor:
    """Return the mean places (N, K, 2) under weights (N, K, H, W).

    Examples:
        >>> means(torch.tensor([[[[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]]])).tolist()
        [[[0.0, -1.0]]]
    """
    places = grid_of(weights.shape[2], weights.shape[3], weights).flatten(0, 1)  # (H W, 2)
    return weights.flatten(2) @ places  # (N, K, H W) -> (N, K, 2)


def covariances(weights: Tensor, places: Tensor, least: float) -> Tensor:
    """Return the covariances (N, K, 2, 2) of weights (N, K, H, W) about ``places`` (N, K, 2).

    Each is scaled up, where it must be, so that its smaller eigenvalue is ``least``.
    """
    x, y = grid_of(weights.shape[2], weights.shape[3], weights).flatten(0, 1).unbind(1)
    # The sums of w, w x, w y, w x^2, w x y and w y^2: (N, K, H W) -> (N, K, 6). Expanded, (x - m)^2 needs no map of its
    # own for each point.
    powers = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=1)
    one, of_x, of_y, of_xx, of_xy, of_yy = (weights.flatten(2) @ powers).unbind(2)
    across, down = places.unbind(2)
    a = of_xx - 2 * across * of_x + across.square() * one
    b = of_xy - across * of_y - down * of_x + across * down * one
    d = of_yy - 2 * down * of_y + down.square() * one
    spread = torch.stack([a, b, b, d], dim=2).unflatten(2, (2, 2))
    # The larger eigenvalue, and from it the smaller one without a difference of close numbers. The root of 0, of a
    # round spread, has no gradient.
    root = ((a - d).square() + 4 * b.square()).clamp(min=1e-12).sqrt()
    smaller = (2 * (a * d - b.square()) / (a + d + root)).clamp(min=1e-10)
    return spread * (least / smaller).clamp(min=1)[..., None, None]


def inverses(matrices: Tensor) -> Tensor:
    """Return the inverses of matrices (..., 2, 2).

    Examples:
        >>> inverses(torch.tensor([[2.0, 1.0], [1.0, 1.0]])).tolist()
        [[1.0, -1.0], [-1.0, 2.0]]
    """
    a, b, c, d = matrices.flatten(-2).unbind(-1)
    swapped = torch.stack([d, -b, -c, a], dim=-1).unflatten(-1, (2, 2))
    return swapped / (a * d - b * c)[..., None, None]


def offsets(places: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the distances of all columns, (..., 1, width), and rows, (..., height, 1), from places (..., 2)."""
    x, y = (torch.linspace(-1, 1, size, device=places.device, dtype=places.dtype) for size in (width, height))
    return x - places[..., 0, None, None], y[:, None] - places[..., 1, None, None]


def heatmaps(points: Points, height: int, width: int, peak: float | None = None, variance: float = 0.01) -> Tensor:
    """Return the Gaussian heatmaps of points, (..., K, height, width).

    Args:
        points: Points (..., K, 2). Their covariance is ``spread``, or ``variance`` times I where there is none. Where
            it is 0, as in given frames of a rollout, there is no point, and its map is 0.
        height: Height of the maps in pixels.
        width: Width of the maps in pixels.
        peak: The value of a map at its point. With None, the default, each map sums to 1.
        variance: Variance of points without a spread.

    Examples:
        >>> maps = heatmaps(Points(torch.zeros(1, 2)), 3, 3, peak=1.0, variance=1.0)
        >>> [round(value, 4) for value in maps[0, 1].tolist()]  # exp(-1/2) at a distance of 1
        [0.6065, 1.0, 0.6065]
    """
    x, y = offsets(points.place, height, width)
    if points.spread is None:
        maps = torch.exp(-0.5 * (x.square() + y.square()) / variance)
    else:
        known = points.spread.abs().amax(dim=(-2, -1)) > 0  # (..., K)
        one = torch.eye(2, device=points.spread.device, dtype=points.spread.dtype)
        spread = torch.where(known[..., None, None], points.spread, one)
        # d^T C^-1 d, with the elements of the symmetric C^-1 as (..., K, 1, 1).
        a, b, _, d = inverses(spread)[..., None, None].flatten(-4, -3).unbind(-3)
        maps = torch.exp(-0.5 * (a * x.square() + 2 * b * x * y + d * y.square())) * known[..., None, None]
    # A point far outside of the picture has a map of zeros.
    return peak * maps if peak is not None else maps / maps.sum(dim=(-2, -1), keepdim=True).clamp(min=1e-8)


def differences(driving: Points, reference: Points, height: int, width: int, peak: float | None = None) -> Tensor:
    """Return the heatmaps of driving points (B, T, K, 2) minus those of the image, (B, K, T, height, width)."""
    there = heatmaps(driving, height, width, peak)  # (B, T, K, H, W)
    here = heatmaps(reference, height, width, peak)[:, None]  # (B, 1, K, H, W)
    return rearrange(there - here, "b t k h w -> b k t h w")


def relative(driving: Points, first: Points, reference: Points) -> Points:
    """Return the points of an image that moves as a driving video does.

    A place is that of the image plus the change of the driving point since the first frame. The spread is that of the
    driving frame, and a local affine map is the change of the driving one since the first frame, applied to the
    image's.

    Source: Siarohin et al., 2019, of both papers.

    Args:
        driving: Points (B, T, K, 2) of the driving frames.
        first: Points (B, K, 2) of the first driving frame.
        reference: Points (B, K, 2) of the image.
    """
    place = reference.place[:, None] + driving.place - first.place[:, None]  # (B, 1, K, 2) and (B, T, K, 2)
    affine = driving.affine
    if affine is not None:
        assert first.affine is not None and reference.affine is not None, "all come from the same encoder"
        affine = affine @ inverses(first.affine)[:, None] @ reference.affine[:, None]
    return Points(place, driving.spread, affine)
