"""Transforms that choose the frames of a clip.

They sample driving clip and image video independently. An exact ground truth follows its driving clip frame by frame.
"""

from abc import ABC, abstractmethod

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import TRANSFORMS


class Sampling(ABC):
    """A transform that sets the ``indices`` of every clip. Subclasses differ in ``pick``."""

    frame_changes = "none"

    def check(self, record: ClipRecord) -> None:  # noqa: B027
        """Raise ``DataError`` if ``record`` is too short.

        The data set calls this at its start, so that the error does not come hours into a training.
        """

    @abstractmethod
    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Choose the frames of ``record``, as indices (T,)."""

    def __call__(self, sample: dict) -> dict:
        """Fill in ``indices`` of all clips.

        Raises:
            DataError: Truth and driving clip differ in length, or a clip is too short.
        """
        clips = sample["clips"]
        for name in ("driving", "image_video"):
            if name in clips:
                clips[name].indices = self.pick(clips[name].record, sample["rng"])
        if "truth" in clips:
            driving, truth = clips["driving"].record, clips["truth"].record
            if driving.num_frames != truth.num_frames:
                raise DataError(
                    f"truth {truth.name} has {truth.num_frames} frames, but {driving.name}, whose motion it shows, has "
                    f"{driving.num_frames}: prepare both again"
                )
            clips["truth"].indices = clips["driving"].indices
        return sample


class Window(Sampling):
    """A sampling of ``length`` frames, every ``stride``-th. ``pick`` chooses the start.

    A clip that is too short for ``stride`` is sampled at the largest smaller distance that fits, down to
    ``min_stride``.

    Raises:
        ConfigError: ``min_stride`` is below 1 or above ``stride``.
    """

    def __init__(self, length: int, stride: int = 1, min_stride: int | None = None):
        self.length = length
        self.stride = stride
        self.min_stride = stride if min_stride is None else min_stride
        if not 1 <= self.min_stride <= stride:
            raise ConfigError(
                f"{type(self).__name__}: min_stride={min_stride} is not from 1 to stride={stride}, the distance that "
                f"long clips are sampled at"
            )

    def stride_in(self, record: ClipRecord) -> int:
        """Return the distance of two sampled frames in ``record``, from ``min_stride`` to ``stride``."""
        fitting = (record.num_frames - 1) // max(self.length - 1, 1)
        return max(min(self.stride, fitting), self.min_stride)

    def span_of(self, stride: int) -> int:
        """Return the number of frames of the clip from the first to the last sampled one."""
        return (self.length - 1) * stride + 1

    def check(self, record: ClipRecord) -> None:
        """Raise ``DataError`` if the window does not fit into ``record``."""
        needed = self.span_of(self.min_stride)
        if record.num_frames < needed:
            raise DataError(
                f"clip {record.name} has {record.num_frames} frames, {type(self).__name__}(length={self.length}, "
                f"stride={self.min_stride}) needs {needed}: give the data set min_frames={needed} to leave short "
                f"clips out, or take Resample({self.length}) in its place"
            )


@TRANSFORMS.register_module()
class RandomWindow(Window):
    """Take ``length`` frames, every ``stride``-th, from a random start.

    Args:
        length: Number of frames.
        stride: Distance of two sampled frames in the clip. Default 1.
        latest: Largest start, counted from the clip's first frame. By default the last that fits. Use it if a test
            begins at the first frame: a model that is shown any window learns that a face at rest may be the end of a
            smile.
        min_stride: Smallest distance, for clips that are too short for ``stride``. By default they are an error.

    Raises:
        ConfigError: ``min_stride`` is not from 1 to ``stride``.
        DataError: A clip has fewer than ``(length - 1) * min_stride + 1`` frames.
    """

    def __init__(self, length: int, stride: int = 1, latest: int | None = None, min_stride: int | None = None):
        super().__init__(length, stride, min_stride)
        self.latest = latest

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Draw the start uniformly among all that fit, up to ``latest``."""
        self.check(record)
        stride = self.stride_in(record)
        last = record.num_frames - self.span_of(stride)
        if self.latest is not None:
            last = min(last, self.latest)
        return rng.integers(last + 1) + stride * np.arange(self.length)


@TRANSFORMS.register_module()
class FirstFrames(Window):
    """Take the first ``length`` frames, every ``stride``-th.

    Args:
        length: Number of frames.
        stride: Distance of two sampled frames in the clip. Default 1.
        min_stride: Smallest distance, for clips that are too short for ``stride``. By default they are an error.

    Raises:
        ConfigError: ``min_stride`` is not from 1 to ``stride``.
        DataError: A clip has fewer than ``(length - 1) * min_stride + 1`` frames.
    """

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Count from the clip's first frame."""
        self.check(record)
        return self.stride_in(record) * np.arange(self.length)


@TRANSFORMS.register_module()
class Resample(Sampling):
    """Take ``length`` frames spread evenly over the whole clip, with its first and last. Short clips repeat frames.

    Args:
        length: Number of frames.
    """

    def __init__(self, length: int):
        self.length = length

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Round the evenly spread places to frames."""
        return np.linspace(0, record.num_frames - 1, self.length).round().astype(np.int64)


@TRANSFORMS.register_module()
class WholeClip(Sampling):
    """Take all frames of a clip, or the first ``max_length``.

    Args:
        max_length: Largest number of frames. By default all are taken.
    """

    def __init__(self, max_length: int | None = None):
        self.max_length = max_length

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Count through the clip."""
        return np.arange(min(record.num_frames, self.max_length or record.num_frames))


@TRANSFORMS.register_module()
class RandomJump(Sampling):
    """Take two frames of one clip at a random distance in time (FRGAN, sec. 3.2).

    The image video is frame t, the image to animate, and the driving clip is a frame t + k, k > 0. Both are drawn for
    every sample, and every such pair is equally likely.

    Args:
        frames: Number of driving frames. With more than 1 they are those right after t, which stage two refines (sec.
            3.3). Default 1.
        from_first: Keep t at the clip's first frame, as the authors' released code does. Default False.
        backwards: Share of the samples whose jump goes back in time, so that the later frame is the image (Monkey-Net).
            Default 0.

    Raises:
        DataError: A clip has fewer than ``frames + 1`` frames.
        ConfigError: A pair sampler has set another clip as image video, and a jump stays within one clip. Or jumps of
            several frames shall go back.
    """

    def __init__(self, frames: int = 1, from_first: bool = False, backwards: float = 0.0):
        if backwards and frames > 1:
            raise ConfigError("RandomJump goes back in time with one driving frame only: set frames=1 or backwards=0")
        self.frames = frames
        self.from_first = from_first
        self.backwards = backwards

    def check(self, record: ClipRecord) -> None:
        """Raise ``DataError`` if there is no frame to jump to."""
        if record.num_frames <= self.frames:
            raise DataError(
                f"clip {record.name} has {record.num_frames} frames, RandomJump(frames={self.frames}) needs "
                f"{self.frames + 1}: give the data set min_frames={self.frames + 1} to leave short clips out"
            )

    def pick(self, record: ClipRecord, rng: np.random.Generator) -> np.ndarray:
        """Draw t and the driving frames: indices (1 + frames,)."""
        self.check(record)
        if self.frames > 1:
            start = 0 if self.from_first else rng.integers(record.num_frames - self.frames)
            return start + np.arange(self.frames + 1)
        if self.from_first:
            both = np.array([0, rng.integers(1, record.num_frames)])
        else:
            both = np.sort(rng.choice(record.num_frames, size=2, replace=False))
        # No draw without need, so that the other numbers of a sample stay as they are.
        return both[::-1].copy() if self.backwards and rng.random() < self.backwards else both

    def __call__(self, sample: dict) -> dict:
        """Fill in ``indices`` of the driving clip and add the image video, which is sampled from the same clip."""
        clips, pair = sample["clips"], sample["pair"]
        if pair.image_video is not None and pair.image_video.name != pair.driving.name:
            raise ConfigError(
                f"RandomJump jumps within clip {pair.driving.name}, and the pair sampler gives it the image video "
                f"{pair.image_video.name}: take SameClip, or another sampling"
            )
        record = clips["driving"].record
        first, *others = self.pick(record, sample["rng"])
        clips["driving"].indices = np.array(others)
        clips["image_video"] = SampledClip(record, indices=np.array([first]))
        if "truth" in clips:
            clips["truth"].indices = clips["driving"].indices
        return sample
