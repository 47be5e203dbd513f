"""Condition maps of faces: normals of a morphable model that was fitted to landmarks (FRGAN 3.1)."""

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
    """A generator of normal maps of faces, with a morphable model.

    Ours:
        the face model is fitted to landmarks by least squares (FRGAN: 3DDFA, a network on pixels)
        when model=None: a built-in face model with 13 ways of identity and 14 of expression (FRGAN: the Basel model)

    Args:
        size: The side of the maps in pixels. It is that of the prepared frames.
        model: The ``.mat`` file of a Basel model. By default the built-in model is used.
        expressions: The ``.mat`` file of its expressions, required with ``model``. See ``read_basel`` for its content.
        landmarks: The ``.mat`` file of its landmarks, needed if neither of the others has them.

    Raises:
        ConfigError: A Basel model is given without expressions, or the reverse.
    """

    channels = 3

    def __init__(
        self, size: int = 64, model: str | None = None, expressions: str | None = None, landmarks: str | None = None
    ):
        if (model is None) != (expressions is None) or (model is None and landmarks is not None):
            raise ConfigError(
                "FaceMaps: a Basel model needs two files, the model and its expressions (--morphable, --expressions). "
                "The landmarks are in one of them or in a third file (--landmark-vertices). Without any file the "
                "built-in model is used"
            )
        self.size = size
        self._files = None if model is None else (model, expressions, landmarks)

    @cached_property
    def model(self) -> MorphableModel:
        """The morphable model. Raises ``DataError`` if its files cannot be used."""
        return procedural_model() if self._files is None else _basel(*self._files)

    @cached_property
    def _rasterizer(self) -> NormalRasterizer:
        """The rasterizer for the triangles of the model."""
        return NormalRasterizer(self.model.triangles, len(self.model.mean), self.size)

    def __getstate__(self) -> dict:
        # Another process reads the model from its files again, instead of receiving a hundred megabytes.
        return {"size": self.size, "_files": self._files}

    def fit(self, landmarks: np.ndarray, neutral_start: bool = False) -> Coefficients:
        """Fit the model to landmarks (T, 68 or 5, 2) in pixels of the maps. See ``fit_clip``."""
        return fit_clip(self.model, landmarks, neutral_start)

    def __call__(self, coefficients: Coefficients) -> np.ndarray:
        """Draw maps uint8 (T, 3, size, size) of the frames of a face.

        They hold (n + 1) / 2 for unit normals n, scaled to 255, and 128 around the face. The channels are x to the
        right, y up, and z towards the viewer.
        """
        maps = np.empty((len(coefficients), 3, self.size, self.size), np.uint8)
        # The vertices of a long clip would take much memory, so frames are drawn in chunks.
        for start in range(0, len(maps), _CHUNK):
            part = coefficients[start : start + _CHUNK]
            shapes = to_camera_space(self.model.shapes(part.identity, part.expression), part.camera)
            for number, points in enumerate(shapes, start=start):
                maps[number] = normals_as_bytes(self._rasterizer(points)).transpose(2, 0, 1)  # (H, W, 3) -> (3, H, W)
        return maps


@lru_cache(maxsize=1)
def _basel(model: str, expressions: str, landmarks: str | None) -> MorphableModel:
    """Read a Basel model, once for each process."""
    return read_basel(Path(model), Path(expressions), None if landmarks is None else Path(landmarks))
