"""A 3D morphable model of faces: a mean shape, ways in which people differ, ways in which a face moves."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from i2vkit.errors import DataError

# The five points of a face as means of the 68: corners of each eye, tip of the nose, corners of the mouth.
FIVE_LANDMARKS = ((36, 39), (42, 45), (30,), (48,), (54,))


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """Faces as ``mean + identity @ alpha + expression @ beta`` (Blanz and Vetter; FRGAN 3.1).

    Model space: x to the right of the picture, y up, z towards the viewer; any unit of length.

    Args:
        name: For messages, and beside coefficients.
        mean: (V, 3).
        identity: (V, 3, I), each way times its standard deviation: coefficients are in standard deviations.
        expression: (V, 3, E), likewise.
        triangles: (F, 3) vertex numbers, counter-clockwise seen from outside.
        landmarks: (68,) vertex numbers, in iBUG order.
        version: Stands for the hash of a model that is computed, whose last bits differ between machines.
    """

    name: str
    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    triangles: np.ndarray
    landmarks: np.ndarray
    version: str | None = None

    @property
    def num_identity(self) -> int:
        """I."""
        return self.identity.shape[2]

    @property
    def num_expression(self) -> int:
        """E."""
        return self.expression.shape[2]

    @cached_property
    def hash(self) -> str:
        """Tells models apart: coefficients of one mean nothing to another."""
        if self.version is not None:
            return self.version
        digest = hashlib.sha256()
        for array in (self.mean, self.identity, self.expression, self.triangles, self.landmarks):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def shapes(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Vertices float32 (T, V, 3) of a person (I,) with the expressions (T, E)."""
        neutral = self.mean + self.identity @ identity.astype(np.float32)
        moved = expression.astype(np.float32) @ self._flat_expression
        return neutral + moved.reshape(-1, *self.mean.shape)

    @cached_property
    def _flat_expression(self) -> np.ndarray:
        return np.ascontiguousarray(self.expression.reshape(-1, self.num_expression).T)

    def at_landmarks(self, count: int = 68) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean (N, 3), identity (N, 3, I) and expression (N, 3, E) at the 68 or 5 landmarks, float64.

        Raises ``DataError`` for another count.
        """
        if count not in (68, 5):
            raise DataError(f"a face is fitted to 68 or 5 landmarks, not to {count}")
        parts = [array[self.landmarks].astype(np.float64) for array in (self.mean, self.identity, self.expression)]
        if count == 5:
            parts = [np.stack([part[list(points)].mean(axis=0) for points in FIVE_LANDMARKS]) for part in parts]
        return parts[0], parts[1], parts[2]
