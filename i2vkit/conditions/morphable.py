"""A 3D morphable model of faces: a mean shape, modes of identity and modes of expression."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from i2vkit.errors import DataError

# The five points of a face as means of some of the 68: middle of each eye, tip of the nose, corners of the mouth.
FIVE_LANDMARKS = ((36, 39), (42, 45), (30,), (48,), (54,))


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A model of faces ``mean + identity @ alpha + expression @ beta`` (Blanz and Vetter; FRGAN 3.1).

    In model space x points to the right of the picture, y up, and z towards the viewer. Any unit of length will do.

    Args:
        name: The name in messages and in files of coefficients.
        mean: The mean shape (V, 3).
        identity: The modes of identity (V, 3, I), each multiplied by its standard deviation. Hence coefficients are in
            standard deviations.
        expression: The modes of expression (V, 3, E), likewise.
        triangles: Vertex numbers (F, 3), counter-clockwise seen from outside.
        landmarks: The vertex numbers (68,) of the landmarks, in iBUG order.
        version: A text that replaces the hash. A model that is computed needs it, because its last bits differ between
            machines.
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
        """The number I of identity modes."""
        return self.identity.shape[2]

    @property
    def num_expression(self) -> int:
        """The number E of expression modes."""
        return self.expression.shape[2]

    @cached_property
    def hash(self) -> str:
        """A text that identifies the model, because coefficients are valid for one model only."""
        if self.version is not None:
            return self.version
        digest = hashlib.sha256()
        for array in (self.mean, self.identity, self.expression, self.triangles, self.landmarks):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def shapes(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Return the vertices float32 (T, V, 3) of a person (I,) with the expressions (T, E)."""
        neutral = self.mean + self.identity @ identity.astype(np.float32)
        moved = expression.astype(np.float32) @ self._flat_expression
        return neutral + moved.reshape(-1, *self.mean.shape)  # (V, 3) + (T, V, 3)

    @cached_property
    def _flat_expression(self) -> np.ndarray:
        """The expression modes as (E, 3V), contiguous for a fast product."""
        return np.ascontiguousarray(self.expression.reshape(-1, self.num_expression).T)

    def at_landmarks(self, count: int = 68) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return mean (N, 3), identity (N, 3, I) and expression (N, 3, E) at the landmarks, as float64.

        Args:
            count: The number N of landmarks, 68 or 5.

        Raises:
            DataError: ``count`` is another number.
        """
        if count not in (68, 5):
            raise DataError(f"a face is fitted to 68 or 5 landmarks, not to {count}")
        parts = [array[self.landmarks].astype(np.float64) for array in (self.mean, self.identity, self.expression)]
        if count == 5:
            parts = [np.stack([part[list(points)].mean(axis=0) for points in FIVE_LANDMARKS]) for part in parts]
        return parts[0], parts[1], parts[2]
