"""Which frames of a clip are taken.

Source and target are sampled each on its own; an exact truth follows its source frame by frame.
"""

from abc import ABC, abstractmethod

import numpy as np

from i2vkit.datasets.index import ClipRecord
from i2vkit.errors import DataError
from i2vkit.registry import TRANSFORMS


class Sampling(ABC):
    """Sets the ``indices`` of every take; the ways of doing so differ in ``pick``."""

    @abstractmethod
    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Choose the frames of ``record`` to take, as indices (T,)."""

    def __call__(self, sample: dict) -> dict:
        """Fill in ``indices`` of all takes. Raises ``DataError`` if truth and source differ in length."""
        takes = sample["takes"]
        for name in ("source", "target"):
            if name in takes:
                takes[name].indices = self.pick(takes[name].record, sample["rng"])
        if "truth" in takes:
            source, truth = takes["source"].record, takes["truth"].record
            if source.num_frames != truth.num_frames:
                raise DataError(
                    f"truth {truth.name} has {truth.num_frames} frames, but {source.name}, whose motion it shows, has "
                    f"{source.num_frames}: prepare both anew"
                )
            takes["truth"].indices = takes["source"].indices
        return sample


@TRANSFORMS.register_module()
class RandomWindow(Sampling):
    """``length`` frames, every ``stride``-th, from a random start.

    Raises ``DataError`` if a clip has fewer than ``(length - 1) * stride + 1`` frames.
    """

    def __init__(self, length: int, stride: int = 1):
        self.length = length
        self.stride = stride

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Draw the start uniformly over all that fit."""
        needed = _check_length(record, self)
        start = rng.integers(record.num_frames - needed + 1)
        return start + self.stride * np.arange(self.length)


@TRANSFORMS.register_module()
class FirstFrames(Sampling):
    """The first ``length`` frames, every ``stride``-th.

    Raises ``DataError`` if a clip has fewer than ``(length - 1) * stride + 1`` frames.
    """

    def __init__(self, length: int, stride: int = 1):
        self.length = length
        self.stride = stride

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Count from the clip's first frame."""
        _check_length(record, self)
        return self.stride * np.arange(self.length)


@TRANSFORMS.register_module()
class Resample(Sampling):
    """``length`` frames spread evenly over the whole clip, its first and last among them; short clips repeat frames."""

    def __init__(self, length: int):
        self.length = length

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Round the evenly spread places to frames."""
        return np.linspace(0, record.num_frames - 1, self.length).round().astype(np.int64)


@TRANSFORMS.register_module()
class WholeClip(Sampling):
    """All frames, or the first ``max_length`` of a longer clip."""

    def __init__(self, max_length: int | None = None):
        self.max_length = max_length

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Count through the clip."""
        return np.arange(min(record.num_frames, self.max_length or record.num_frames))


def _check_length(record: ClipRecord, window: RandomWindow | FirstFrames) -> int:
    """Compute how many frames the window spans; raise if the clip is shorter."""
    needed = (window.length - 1) * window.stride + 1
    if record.num_frames < needed:
        name = f"{type(window).__name__}(length={window.length}, stride={window.stride})"
        raise DataError(
            f"clip {record.name} has {record.num_frames} frames, {name} needs {needed}: give the data set "
            f"min_frames={needed} to leave short clips out, or take Resample({window.length}) in its place"
        )
    return needed
