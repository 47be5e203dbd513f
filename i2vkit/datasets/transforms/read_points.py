"""The transform that reads landmarks, joints and boxes of the sampled frames."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSpan
from i2vkit.datasets.point_files import points_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import TRANSFORMS

NAMES = ("landmarks", "joints", "boxes")


@TRANSFORMS.register_module()
class ReadPoints:
    """Fill in ``landmarks``, ``joints`` and ``boxes`` of every clip that has them. Put it after ``ReadFrames``.

    They come from ``record.metadata``: an array, or the path of a CSV file, which each worker reads once. In one batch,
    either all clips or none must have each of the three.

    Args:
        required: Names among "landmarks", "joints" and "boxes" that every clip must have. Default none.

    Raises:
        ConfigError: ``required`` has another name.
    """

    frame_changes = "none"

    def __init__(self, required: Sequence[str] = ()):
        if unknown := sorted(set(required) - set(NAMES)):
            raise ConfigError(f"ReadPoints: required is among {', '.join(NAMES)}, got {unknown[0]!r}")
        self.required = tuple(required)
        self._files: dict[Path, np.ndarray] = {}

    def __call__(self, sample: dict) -> dict:
        """Read the points of all clips.

        Raises:
            DataError: A clip lacks required points, or a file is missing or does not fit. The message names the clip.
        """
        for sampled in sample["clips"].values():
            for name in NAMES:
                points = self._points(sampled.record, name)
                if points is None and name in self.required:
                    raise DataError(f"clip {sampled.record.name} has no {name}, and ReadPoints requires them")
                setattr(sampled, name, None if points is None else points[sampled.indices])
        return sample

    def _points(self, record: ClipRecord, name: str) -> np.ndarray | None:
        if isinstance(span := record.frames, FrameSpan):  # a protocol may take several spans of one clip
            whole = self._points(replace(record, frames=span.source, num_frames=span.length), name)
            return None if whole is None else whole[span.start : span.stop]
        given = record.metadata.get(name)
        if given is None or isinstance(given, np.ndarray):
            return points_of(record, name)
        if given not in self._files:
            points = points_of(record, name)
            assert points is not None  # the metadata has them
            self._files[given] = points
        return self._files[given]
