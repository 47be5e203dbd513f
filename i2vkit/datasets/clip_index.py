"""Clips on the disk: the sources of their frames, and the index that a reader returns."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from i2vkit.errors import ConfigError, DataError, MediaError
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


@dataclass(frozen=True)
class ClipRecord:
    """One clip: its name, its frames, and what is known of it.

    Args:
        name: Unique in its index, for instance "P001/Anger/VL_Strong".
        frames: The source of its frames.
        person: Who is in it.
        label: Its class, or None.
        num_frames: Its length in frames.
        fps: Frames a second. Default 25.
        metadata: Further facts: paths or arrays of landmarks, joints and boxes, and the columns of its table.
    """

    name: str
    frames: FrameSource
    person: str
    label: str | None
    num_frames: int
    fps: float = 25.0
    metadata: dict = field(default_factory=dict)


@dataclass(frozen=True)
class ClipIndex:
    """The clips of a data set.

    Args:
        records: The clips, each with a name of its own.
        labels: Names of the labels. A label's place is its class index.
        skipped: The names of clips that were left out, each with the reason.

    Raises:
        DataError: Two clips have the same name.
    """

    records: list[ClipRecord]
    labels: list[str]
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        twice = [name for name, count in Counter(record.name for record in self.records).items() if count > 1]
        if twice:
            raise DataError(f"{len(twice)} clip names are used by two clips each, among them {twice[0]}; rename one")

    @property
    def people(self) -> list[str]:
        """Return everyone who is in a clip, sorted."""
        return sorted({record.person for record in self.records})

    def select(
        self,
        people: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        exclude_people: Sequence[str] | None = None,
        min_frames: int = 1,
    ) -> "ClipIndex":
        """Keep some of the clips.

        Class indices agree between splits, because filtering people leaves ``labels`` as they are.

        Args:
            people: Keep the clips of these people. By default everyone's.
            labels: Keep the clips with these labels. By default all.
            exclude_people: Drop the clips of these people. By default nobody's.
            min_frames: Drop clips with fewer frames and list them in ``skipped``. Default 1.

        Raises:
            DataError: A filter leaves nothing. The message lists the values that exist.
        """
        records = _matching(self.records, "person", people, keep=True)
        records = _matching(records, "label", labels, keep=True)
        records = _matching(records, "person", exclude_people, keep=False)
        long_enough = [record for record in records if record.num_frames >= min_frames]
        if not long_enough:
            longest = max(record.num_frames for record in records)
            raise DataError(f"no clip has min_frames={min_frames} frames; the longest has {longest}")
        short = [
            (record.name, f"{record.num_frames} frames, fewer than min_frames={min_frames}")
            for record in records
            if record.num_frames < min_frames
        ]
        kept_labels = [label for label in self.labels if labels is None or label in set(map(str, labels))]
        return replace(self, records=long_enough, labels=kept_labels, skipped=self.skipped + short)

    def temporal_split(self, start: float, stop: float) -> "ClipIndex":
        """Keep of every clip the frames from the share ``start`` of its length to the share ``stop``.

        Of 10 frames, (0, 2/3) are the first 7 and (2/3, 1) the last 3. Neighbouring spans therefore share no frame.
        Clips without a frame left are listed in ``skipped``.

        Args:
            start: Share of the length at which the part begins, from 0.
            stop: Share of the length at which it ends, up to 1.

        Raises:
            ConfigError: Not 0 <= start < stop <= 1.
        """
        if not 0 <= start < stop <= 1:
            raise ConfigError(f"frames between {start} and {stop}: expected two shares, 0 <= start < stop <= 1")
        if (start, stop) == (0, 1):
            return self
        kept: list[ClipRecord] = []
        empty: list[tuple[str, str]] = []
        for record in self.records:
            first, end = round(start * record.num_frames), round(stop * record.num_frames)
            if end > first:
                span = FrameSpan(record.frames, first, end, record.num_frames)
                kept.append(replace(record, frames=span, num_frames=end - first))
            else:
                empty.append((record.name, f"none of its {record.num_frames} frames is left"))
        return replace(self, records=kept, skipped=self.skipped + empty)

    def sequences(self, number: int) -> "ClipIndex":
        """Divide every clip into ``number`` parts of equal length, each of which is a clip.

        Neighbouring parts share no frame, and together they are the whole clip. A part is named after the clip, ``@``
        and its first frame, and so is the driving clip that a ground truth names. Clips of fewer than ``number``
        frames are listed in ``skipped``.

        Raises:
            ConfigError: ``number`` is below 1.
        """
        if number < 1:
            raise ConfigError(f"a clip is divided into 1 sequence or more, not into {number}")
        if number == 1:
            return self
        parts: list[ClipRecord] = []
        short: list[tuple[str, str]] = []
        for record in self.records:
            if record.num_frames < number:
                short.append((record.name, f"{record.num_frames} frames, fewer than {number} sequences"))
                continue
            places = [round(part * record.num_frames / number) for part in range(number + 1)]
            for first, end in pairwise(places):
                metadata = dict(record.metadata)
                if "driving" in metadata:  # a ground truth shows this clip's motion, frame by frame
                    metadata["driving"] = f"{metadata['driving']}@{first}"
                span = FrameSpan(record.frames, first, end, record.num_frames)
                name, length = f"{record.name}@{first}", end - first
                parts.append(replace(record, name=name, frames=span, num_frames=length, metadata=metadata))
        return replace(self, records=parts, skipped=self.skipped + short)

    def summary(self) -> str:
        """Describe the clips in a few lines: counts, lengths, labels without a clip, and the first five skipped."""
        counts = Counter(record.label for record in self.records)
        labels = ", ".join(f"{label} {counts[label]}" for label in self.labels) or "none"
        lengths = [record.num_frames for record in self.records]
        lines = [
            f"{len(self.records)} clips of {len(self.people)} people, "
            f"{min(lengths, default=0)} to {max(lengths, default=0)} frames; labels: {labels}"
        ]
        if absent := [label for label in self.labels if not counts[label]]:
            lines.append(
                f"no clip shows {', '.join(absent)}: a model that trains on these clips never learns this label"
            )
        if self.skipped:
            lines.append(f"skipped {len(self.skipped)}:")
            lines += [f"  {what}: {why}" for what, why in self.skipped[:5]]
        return "\n".join(lines + (["  ..."] if len(self.skipped) > 5 else []))


def _matching(records: list[ClipRecord], name: str, values: Sequence[str] | None, keep: bool) -> list[ClipRecord]:
    """Keep, or drop, the records whose attribute ``name`` is among ``values``.

    Return all of them if that is ``None``.
    """
    if values is None:
        return records
    wanted = set(map(str, values))
    matching = [record for record in records if (getattr(record, name) in wanted) == keep]
    if not matching:
        known = ", ".join(sorted({str(getattr(record, name)) for record in records}))
        what = "no clip has" if keep else "no clip is left without"
        raise DataError(f"{what} {name} among {', '.join(sorted(wanted))}; known are {known}")
    return matching
