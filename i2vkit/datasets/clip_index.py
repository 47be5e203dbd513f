"""What lies on the disk: clips, where their frames come from, and the index that a reader gives."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import iterate_video, read_image


class FrameSource(Protocol):
    """Where the frames of one clip come from. Hashable: a cache keeps what it read under its source."""

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Read the frames at ``indices`` (any order, repeats allowed) as uint8 (T, H, W, 3) RGB.

        Raises ``MediaError`` that names the file if one is missing or broken.
        """

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield all frames in order, uint8 (H, W, 3), holding one at a time; preparation reads clips so."""


@dataclass(frozen=True)
class FrameFolder:
    """One image file a frame, in the order of ``paths``."""

    paths: tuple[Path, ...]

    def __hash__(self) -> int:
        # Caches ask for it with every sample: not of a hundred paths.
        return hash((*self.paths[:1], *self.paths[-1:], len(self.paths)))

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``; images of different sizes raise ``MediaError`` too."""
        images = {int(index): read_image(self.paths[index]) for index in dict.fromkeys(indices)}
        first = next(iter(images))
        for index, image in images.items():
            if image.shape != images[first].shape:
                raise MediaError(f"{self.paths[index]} and {self.paths[first]} are images of different sizes")
        return np.stack([images[int(index)] for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(read_image, self.paths)


@dataclass(frozen=True)
class FrameStrip:
    """Square frames side by side in one image, from left to right; ``size`` is their side in pixels."""

    path: Path
    size: int

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``."""
        strip = read_image(self.path)
        if strip.shape[0] != self.size or (max(indices) + 1) * self.size > strip.shape[1]:
            raise MediaError(f"{self.path} has no frame {max(indices)} of {self.size}x{self.size}")
        return np.stack([strip[:, index * self.size : (index + 1) * self.size] for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        strip = read_image(self.path)
        return (strip[:, left : left + self.size] for left in range(0, strip.shape[1], self.size))


@dataclass(frozen=True)
class VideoFile:
    """A video, decoded from its first frame up to the last one asked for."""

    path: Path

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``."""
        wanted, last = set(map(int, indices)), max(indices)
        frames = {}
        for position, frame in enumerate(iterate_video(self.path)):
            if position in wanted:
                frames[position] = frame
            if position == last:
                break
        else:
            raise MediaError(f"{self.path} ends before frame {last}")
        return np.stack([frames[int(index)] for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        return iterate_video(self.path)


@dataclass(frozen=True)
class VideoSegment:
    """Frames ``start`` to ``stop - 1`` of a video that holds several clips, counted from 0.

    Segments of one video that are iterated in their order cost one decoding of it.
    """

    path: Path
    start: int
    stop: int

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``; a frame beyond the segment raises ``MediaError`` too."""
        if not 0 <= min(indices) <= max(indices) < self.stop - self.start:
            raise MediaError(f"{self.path}, frames {self.start} to {self.stop - 1}: no frame {max(indices)} of these")
        return VideoFile(self.path).read([self.start + int(index) for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        facts = self.path.stat() if self.path.exists() else None
        video = _forward_video(self.path, (os.getpid(), *((facts.st_mtime_ns, facts.st_size) if facts else ())))
        return (video.frame(number) for number in range(self.start, self.stop))


class _ForwardVideo:
    """A video for those who ask for ever later frames; an earlier one than the last opens it anew."""

    def __init__(self, path: Path):
        self.path = path
        self._rewind()

    def frame(self, number: int) -> np.ndarray:
        """Give frame ``number``, counted from 0. Raises ``MediaError`` if the video ends before."""
        if number < self._number:
            self._rewind()
        while self._number < number:
            self._frame = next(self._frames, None)
            if self._frame is None:
                count = self._number + 1
                self._rewind()
                raise MediaError(f"{self.path} ends after {count} frames, before frame {number}")
            self._number += 1
        return self._frame

    def _rewind(self) -> None:
        self._frames, self._frame, self._number = iterate_video(self.path), None, -1


@lru_cache(maxsize=1)
def _forward_video(path: Path, state: tuple[int, ...]) -> _ForwardVideo:
    """Keep the video that was read last.

    ``state`` tells a file from another that took its place, and a process from one that was forked from it: they would
    share the place in an open file.
    """
    return _ForwardVideo(path)


@dataclass(frozen=True)
class FrameSpan:
    """Frames ``start`` to ``stop - 1`` of ``source``, which has ``length`` frames."""

    source: FrameSource
    start: int
    stop: int
    length: int

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``."""
        if not 0 <= min(indices) <= max(indices) < self.stop - self.start:
            raise MediaError(f"frame {max(indices)} of a span of {self.stop - self.start} frames")
        return self.source.read([self.start + int(index) for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        return islice(iter(self.source), self.start, self.stop)


@dataclass(frozen=True)
class ClipRecord:
    """One clip: what it is and where its frames are.

    ``name`` is unique in its index ("P001/Anger/VL_Strong"). ``metadata`` holds what lies beside the frames: paths or
    arrays of landmarks, joints, boxes.
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

    A label's place in ``labels`` is its class index; ``skipped`` holds what was left out and why.
    """

    records: list[ClipRecord]
    labels: list[str]
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        twice = [name for name, count in Counter(record.name for record in self.records).items() if count > 1]
        if twice:
            raise DataError(f"{len(twice)} clip names stand for two clips each, among them {twice[0]}; rename one")

    @property
    def people(self) -> list[str]:
        """Everyone who is in a clip, sorted."""
        return sorted({record.person for record in self.records})

    def select(
        self,
        people: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        exclude_people: Sequence[str] | None = None,
        min_frames: int = 1,
    ) -> "ClipIndex":
        """Keep the clips of ``people`` but ``exclude_people``, with ``labels``, of at least ``min_frames`` frames.

        Filtering people leaves ``labels`` as they are, so that class indices agree between splits. What is too short is
        listed in ``skipped``. Raises ``DataError`` that lists what is known if a filter leaves nothing.
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

        Of 10 frames (0, 2/3) are the first 7 and (2/3, 1) the last 3: spans that meet share no frame. Clips of which
        nothing is left are listed in ``skipped``. Raises ``ConfigError`` unless 0 <= start < stop <= 1.
        """
        if not 0 <= start < stop <= 1:
            raise ConfigError(f"frames between {start} and {stop}: expected two shares, 0 <= start < stop <= 1")
        if (start, stop) == (0, 1):
            return self
        spans = [(record, *(round(share * record.num_frames) for share in (start, stop))) for record in self.records]
        kept = [
            replace(record, frames=FrameSpan(record.frames, first, end, record.num_frames), num_frames=end - first)
            for record, first, end in spans
            if end > first
        ]
        empty = [
            (record.name, f"none of its {record.num_frames} frames is left")
            for record, first, end in spans
            if end <= first
        ]
        return replace(self, records=kept, skipped=self.skipped + empty)

    def summary(self) -> str:
        """Tell in a few lines what is there and what was skipped (the first five)."""
        counts = Counter(record.label for record in self.records)
        labels = ", ".join(f"{label} {counts[label]}" for label in self.labels) or "none"
        lengths = [record.num_frames for record in self.records]
        lines = [
            f"{len(self.records)} clips of {len(self.people)} people, "
            f"{min(lengths, default=0)} to {max(lengths, default=0)} frames; labels: {labels}"
        ]
        if self.skipped:
            lines.append(f"skipped {len(self.skipped)}:")
            lines += [f"  {what}: {why}" for what, why in self.skipped[:5]]
        return "\n".join(lines + (["  ..."] if len(self.skipped) > 5 else []))


def _matching(records: list[ClipRecord], name: str, values: Sequence[str] | None, keep: bool) -> list[ClipRecord]:
    """Keep, or drop, the records whose attribute ``name`` is among ``values``; all of them if that is ``None``."""
    if values is None:
        return records
    wanted = set(map(str, values))
    matching = [record for record in records if (getattr(record, name) in wanted) == keep]
    if not matching:
        known = ", ".join(sorted({str(getattr(record, name)) for record in records}))
        what = "no clip has" if keep else "no clip is left without"
        raise DataError(f"{what} {name} among {', '.join(sorted(wanted))}; known are {known}")
    return matching
