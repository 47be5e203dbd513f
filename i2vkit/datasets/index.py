"""What lies on the disk: clips, where their frames come from, and the index that a layout gives."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from i2vkit.errors import DataError, MediaError
from i2vkit.media import iterate_video, read_image


class FrameSource(Protocol):
    """Where the frames of one clip come from. Hashable: a cache keeps what it read under its source."""

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Read the frames at ``indices`` (any order, repeats allowed) as uint8 (T, H, W, 3) RGB.

        Raises ``MediaError`` that names the file if one is missing or broken.
        """


@dataclass(frozen=True)
class FrameFolder:
    """One image file a frame, in the order of ``paths``."""

    paths: tuple[Path, ...]

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See ``FrameSource``; images of different sizes raise ``MediaError`` too."""
        images = {int(index): read_image(self.paths[index]) for index in dict.fromkeys(indices)}
        first = next(iter(images))
        for index, image in images.items():
            if image.shape != images[first].shape:
                raise MediaError(f"{self.paths[index]} and {self.paths[first]} are images of different sizes")
        return np.stack([images[int(index)] for index in indices])


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


@dataclass(frozen=True)
class ClipRecord:
    """One clip: what it is and where its frames are.

    ``name`` is unique in its index ("P001/Anger/VL_Strong"). ``side`` holds what lies beside the frames: paths or
    arrays of landmarks, joints, boxes.
    """

    name: str
    frames: FrameSource
    person: str
    label: str | None
    num_frames: int
    fps: float = 25.0
    side: dict = field(default_factory=dict)


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
