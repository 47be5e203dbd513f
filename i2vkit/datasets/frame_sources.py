"""Places that frames are read from: arrays, folders of pictures, strips, videos, and spans of these."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from i2vkit.errors import MediaError
from i2vkit.media import iterate_video, read_image

# Frame numbers in a clip, (T,). A cache passes arrays, tests and tools pass lists.
FrameIndices = Sequence[int] | np.ndarray


class FrameSource(Protocol):
    """The source of one clip's frames. It is hashable, because caches use it as a key."""

    def read(self, indices: FrameIndices) -> np.ndarray:
        """Read the frames at ``indices`` (any order, repeats allowed) as uint8 (T, H, W, 3) RGB.

        Raises:
            MediaError: A file is missing or broken. The message names it.
        """

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield all frames in order, uint8 (H, W, 3), holding one at a time. Preparation reads clips this way."""


@dataclass(frozen=True, eq=False)
class GivenFrames:
    """A clip whose frames are in memory already, uint8 (H, W, 3)."""

    frames: Sequence[np.ndarray]

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``."""
        return np.stack([self.frames[int(index)] for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.frames)


@dataclass(frozen=True)
class FrameFolder:
    """A clip with one image file a frame, in the order of ``paths``."""

    paths: tuple[Path, ...]

    def __hash__(self) -> int:
        # Caches need the hash for every sample, so it must not go through a hundred paths.
        return hash((*self.paths[:1], *self.paths[-1:], len(self.paths)))

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``. Images of different sizes raise ``MediaError`` too."""
        images = {int(index): read_image(self.paths[index]) for index in dict.fromkeys(indices)}
        first = next(iter(images))
        for index, image in images.items():
            if image.shape != images[first].shape:
                raise MediaError(f"{self.paths[index]} and {self.paths[first]} are images of different sizes")
        return np.stack([images[int(index)] for index in indices])  # T times (H, W, 3) -> (T, H, W, 3)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(read_image, self.paths)


@dataclass(frozen=True)
class FrameStrip:
    """A clip of square frames side by side in one image, from left to right. ``size`` is their side in pixels."""

    path: Path
    size: int

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``."""
        strip = read_image(self.path)
        if strip.shape[0] != self.size or (max(indices) + 1) * self.size > strip.shape[1]:
            raise MediaError(f"{self.path} has no frame {max(indices)} of {self.size}x{self.size}")
        # (size, N * size, 3) -> (T, size, size, 3)
        return np.stack([strip[:, index * self.size : (index + 1) * self.size] for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        strip = read_image(self.path)
        return (strip[:, left : left + self.size] for left in range(0, strip.shape[1], self.size))


@dataclass(frozen=True)
class VideoFile:
    """A clip that is a whole video, decoded from its first frame up to the last one asked for.

    Args:
        path: The video.
        as_stored: Take each stored frame once even if the rate of the video varies, because annotations count frames
            this way. By default frames are evenly spaced in time, see ``iterate_video``.
    """

    path: Path
    as_stored: bool = False

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``."""
        wanted, last = set(map(int, indices)), max(indices)
        frames = {}
        for position, frame in enumerate(self):
            if position in wanted:
                frames[position] = frame
            if position == last:
                break
        else:
            raise MediaError(f"{self.path} ends before frame {last}")
        return np.stack([frames[int(index)] for index in indices])  # T times (H, W, 3) -> (T, H, W, 3)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iterate_video(self.path, as_stored=self.as_stored)


@dataclass(frozen=True)
class VideoSegment:
    """A clip that is a part of a video: the stored frames ``start`` to ``stop - 1``, counted from 0.

    If you iterate over the segments of one video in their order, the video is decoded once.
    """

    path: Path
    start: int
    stop: int

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``. A frame beyond the segment raises ``MediaError`` too."""
        if not 0 <= min(indices) <= max(indices) < self.stop - self.start:
            raise MediaError(f"{self.path}, frames {self.start} to {self.stop - 1}: no frame {max(indices)} of these")
        return VideoFile(self.path, as_stored=True).read([self.start + int(index) for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        facts = self.path.stat() if self.path.exists() else None
        video = _forward_video(self.path, (os.getpid(), *((facts.st_mtime_ns, facts.st_size) if facts else ())))
        return (video.frame(number) for number in range(self.start, self.stop))


class _ForwardVideo:
    """A video that is read forwards. It is opened again for a frame that lies before the last one."""

    _frames: Iterator[np.ndarray]
    _frame: np.ndarray | None
    _number: int  # of ``_frame``, -1 before the first

    def __init__(self, path: Path):
        self.path = path
        self._rewind()

    def frame(self, number: int) -> np.ndarray:
        """Return frame ``number``, counted from 0. Raise ``MediaError`` if the video ends before it."""
        if number < self._number:
            self._rewind()
        while self._number < number:
            self._frame = next(self._frames, None)
            if self._frame is None:
                count = self._number + 1
                self._rewind()
                raise MediaError(f"{self.path} ends after {count} frames, before frame {number}")
            self._number += 1
        assert self._frame is not None  # the loop has read at least frame 0
        return self._frame

    def _rewind(self) -> None:
        self._frames, self._frame, self._number = iterate_video(self.path, as_stored=True), None, -1


@lru_cache(maxsize=1)
def _forward_video(path: Path, state: tuple[int, ...]) -> _ForwardVideo:
    """Keep the video that was read last.

    ``state`` tells a file from another that took its place, and a process from one that was forked from it. Forked
    processes would otherwise share the position in an open file.
    """
    return _ForwardVideo(path)


@dataclass(frozen=True)
class FrameSpan:
    """A clip cut out of another: frames ``start`` to ``stop - 1`` of ``source``, which has ``length`` frames."""

    source: FrameSource
    start: int
    stop: int
    length: int

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``."""
        if not 0 <= min(indices) <= max(indices) < self.stop - self.start:
            raise MediaError(f"frame {max(indices)} of a span of {self.stop - self.start} frames")
        return self.source.read([self.start + int(index) for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        return islice(iter(self.source), self.start, self.stop)
