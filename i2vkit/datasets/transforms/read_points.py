"""Landmarks, joints and boxes of the frames that were taken."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.point_files import points_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import TRANSFORMS

NAMES = ("landmarks", "joints", "boxes")


@TRANSFORMS.register_module()
class ReadPoints:
    """Fills in ``landmarks``, ``joints`` and ``boxes`` of every clip whose clip has them; stands after ``ReadFrames``.

    They come from ``record.metadata``: an array, or the path of a CSV file, which is read once a worker. Clips without
    any of those in ``required`` raise ``DataError``; a batch needs landmarks, joints and boxes of all its clips or of
    none.
    """

    frame_changes = "none"

    def __init__(self, required: Sequence[str] = ()):
        if unknown := sorted(set(required) - set(NAMES)):
            raise ConfigError(f"ReadPoints: required is among {', '.join(NAMES)}, got {unknown[0]!r}")
        self.required = tuple(required)
        self._files: dict[Path, np.ndarray] = {}

    def __call__(self, sample: dict) -> dict:
        """Read them for all clips. Raises ``DataError`` that names the clip if a file is missing or does not fit."""
        for sampled in sample["clips"].values():
            for name in NAMES:
                points = self._points(sampled.record, name)
                if points is None and name in self.required:
                    raise DataError(f"clip {sampled.record.name} has no {name}, and ReadPoints requires them")
                setattr(sampled, name, None if points is None else points[sampled.indices])
        return sample

    def _points(self, record: ClipRecord, name: str) -> np.ndarray | None:
        given = record.metadata.get(name)
        if given is None or isinstance(given, np.ndarray):
            return points_of(record, name)
        if given not in self._files:
            self._files[given] = points_of(record, name)
        return self._files[given]
