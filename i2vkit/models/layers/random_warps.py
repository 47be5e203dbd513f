"""Random smooth deformations of the plane: an affine map and a thin-plate spline."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from i2vkit.models.layers.points import grid_of
from i2vkit.models.layers.warping import flow_in_pixels, warp

_TINY = 1e-6  # squared distances below have the spline's limit, 0


@dataclass(frozen=True)
class SmoothWarp:
    """A deformation T(z) = A z + b + sum of c_i r_i^2 log r_i, r_i the distance of z from control point i.

    One for each of B clips, in the units of ``Points``.

    Args:
        affine: A and b, (B, 2, 3).
        weights: c_i, (B, P, 2).
        controls: Control points, (P, 2).

    Examples:
        >>> identity = SmoothWarp(torch.eye(2, 3)[None], torch.zeros(1, 1, 2), torch.zeros(1, 2))
        >>> identity.places(torch.tensor([[[0.5, -1.0]]])).tolist()
        [[[0.5, -1.0]]]
    """

    affine: Tensor
    weights: Tensor
    controls: Tensor

    @staticmethod
    def random(number: int, sigma_affine: float, sigma_spline: float, grid: int, like: Tensor) -> SmoothWarp:
        """Return deformations near the identity.

        Args:
            number: Number of deformations, B.
            sigma_affine: Standard deviation of the elements of A and b around those of the identity.
            sigma_spline: Standard deviation of c.
            grid: Control points along each axis.
            like: A tensor that gives device and precision.
        """
        identity = torch.eye(2, 3, device=like.device, dtype=like.dtype)
        affine = identity + like.new_zeros(number, 2, 3).normal_(std=sigma_affine)
        controls = grid_of(grid, grid, like).flatten(0, 1)
        return SmoothWarp(affine, like.new_zeros(number, grid * grid, 2).normal_(std=sigma_spline), controls)

    def places(self, places: Tensor) -> Tensor:
        """Return T(z) of places (B, N, 2)."""
        _, squares = self._away(places)
        # r^2 log r = r^2 log(r^2) / 2, (B, N, P) @ (B, P, 2)
        spline = (0.5 * squares * squares.log()) @ self.weights
        return places @ self.affine[:, :, :2].mT + self.affine[:, None, :, 2] + spline

    def derivatives(self, places: Tensor) -> Tensor:
        """Return the derivatives of T, (B, N, 2, 2), at places (B, N, 2): rows are components of T, columns of z."""
        away, squares = self._away(places)
        # The gradient of r^2 log r is (log(r^2) + 1) (z - control).
        gradients = (squares.log() + 1)[..., None] * away  # (B, N, P, 2)
        spline = self.weights.mT[:, None] @ gradients  # (B, 1, 2, P) @ (B, N, P, 2)
        return self.affine[:, None, :, :2] + spline

    def frames(self, video: Tensor) -> Tensor:
        """Return the deformed video: place z of each frame shows what (B, C, T, H, W) has at T(z)."""
        height, width = video.shape[3:]
        grid = grid_of(height, width, video).flatten(0, 1)[None].expand(len(video), -1, -1)  # (B, H W, 2)
        flow = (self.places(grid) - grid).mT.unflatten(2, (height, width))[:, :, None]  # (B, 2, 1, H, W)
        pixels = flow_in_pixels(flow, height, width)
        return warp(video, pixels.expand(-1, -1, video.shape[2], -1, -1))

    def _away(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return z - control (B, N, P, 2), and its square (B, N, P)."""
        away = places[:, :, None] - self.controls
        return away, away.square().sum(dim=3).clamp(min=_TINY)
