"""Records of clips, and the index of them that a reader returns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from i2vkit.datasets.frame_sources import FrameSource, FrameSpan
from i2vkit.errors import ConfigError, DataError


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
