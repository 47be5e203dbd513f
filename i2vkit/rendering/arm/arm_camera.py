"""The two pinhole cameras that look into the bin."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class ArmCamera:
    """A static camera.

    Args:
        place: Its position, in metres.
        target: The point in the middle of its picture, in metres.
        focal: The focal length, in units of the picture's side.
    """

    place: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float

    @cached_property
    def axes(self) -> np.ndarray:
        """A matrix (3, 3) whose rows are the picture's right, its down, and forward, in world coordinates."""
        forward = np.subtract(self.target, self.place)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward])

    def project(self, points: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Project points (N, 3) into a picture of `side` x `side`.

        Returns:
            Pixels (N, 2), and the number of pixels (N,) that a metre covers at each point.
        """
        # (N, 3): right, down and depth in metres.
        seen = (points - self.place) @ self.axes.T
        scale = self.focal * side / seen[:, 2]
        return seen[:, :2] * scale[:, None] + (side - 1) / 2, scale  # pixel centres are whole numbers


CAMERAS = {
    "main": ArmCamera((0.0, -0.50, 0.86), (0.0, -0.005, 0.02), 1.5),
    "aux1": ArmCamera((-0.52, -0.30, 0.92), (0.0, 0.0, 0.02), 1.62),
}
