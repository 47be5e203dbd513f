"""Condition maps of faces: the normals of a morphable model that was fitted to landmarks (FRGAN 3.1)."""

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from i2vkit.conditions.basel import read_basel
from i2vkit.conditions.camera import to_camera_space
from i2vkit.conditions.coefficients import Coefficients
from i2vkit.conditions.fitting import fit_clip
from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.conditions.morphable import MorphableModel
from i2vkit.conditions.procedural import procedural_model
from i2vkit.conditions.rasterizer import NormalRasterizer, normals_as_bytes
from i2vkit.errors import ConfigError
from i2vkit.registry import CONDITION_GENERATORS

_CHUNK = 16  # frames whose vertices are in memory at once


@CONDITION_GENERATORS.register_module()
class FaceMaps(ConditionGenerator):
    """Draws normal maps of faces.

    Args:
        size: Side of the maps in pixels; that of the prepared frames.
        model: A Basel model's ``.mat``; the built-in model by default.
        expressions: The ``.mat`` of its expressions, which it needs; ``read_basel`` says what is in these files.
        landmarks: The ``.mat`` of its landmarks, where neither of the others has them.

    Raises:
        ConfigError: A Basel model without expressions, or the reverse.
    """

    channels = 3

    def __init__(
        self, size: int = 64, model: str | None = None, expressions: str | None = None, landmarks: str | None = None
    ):
        if (model is None) != (expressions is None) or (model is None and landmarks is not None):
            raise ConfigError(
                "FaceMaps: a Basel model and its expressions are two files, and both are needed (--morphable, "
                "--expressions; with landmarks in one of them or a third, --landmark-vertices); without any the "
                "built-in model is taken"
            )
        self.size = size
        self._files = None if model is None else (model, expressions, landmarks)

    @cached_property
    def model(self) -> MorphableModel:
        """The morphable model. Raises ``DataError`` if its files are not what they should be."""
        return procedural_model() if self._files is None else _basel(*self._files)

    @cached_property
    def _rasterizer(self) -> NormalRasterizer:
        return NormalRasterizer(self.model.triangles, len(self.model.mean), self.size)

    def __getstate__(self) -> dict:
        # Another process reads the model itself rather than being sent a hundred megabytes.
        return {"size": self.size, "_files": self._files}

    def fit(self, landmarks: np.ndarray, neutral_start: bool = False) -> Coefficients:
        """Fit the model to landmarks (T, 68 or 5, 2) of pictures of the maps' size; see ``fit_clip``."""
        return fit_clip(self.model, landmarks, neutral_start)

    def __call__(self, coefficients: Coefficients) -> np.ndarray:
        """Draw maps uint8 (T, 3, size, size) of a face's frames: (n + 1) / 2 of the unit normals, 128 around the face.

        x points to the right, y up, z towards the viewer.
        """
        maps = np.empty((len(coefficients), 3, self.size, self.size), np.uint8)
        for start in range(0, len(maps), _CHUNK):
            part = coefficients[start : start + _CHUNK]
            shapes = to_camera_space(self.model.shapes(part.identity, part.expression), part.camera)
            for number, points in enumerate(shapes, start=start):
                maps[number] = normals_as_bytes(self._rasterizer(points)).transpose(2, 0, 1)
        return maps


@lru_cache(maxsize=1)
def _basel(model: str, expressions: str, landmarks: str | None) -> MorphableModel:
    return read_basel(Path(model), Path(expressions), None if landmarks is None else Path(landmarks))
