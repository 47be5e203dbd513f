"""The protocols of the papers."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.index import ClipIndex, ClipRecord
from i2vkit.datasets.pairing import Pair
from i2vkit.datasets.splits import people_of
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Reconstruction(Protocol):
    """Every clip from its own first frame and its own motion; the clip itself is the truth."""

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """One sample a clip, in the order of the index."""
        return [Pair(source=record) for record in index.records]


@PROTOCOLS.register_module()
class Transfer(Protocol):
    """Every clip of the source people moves the first frame of every target person (DTGAN, sec. 4.3).

    With six expressions of four people and ten targets these are the paper's 240 videos. A target is shown by one
    image, the first frame of their first clip, which in clips from neutral to apex is neutral; ``target_label`` picks
    the first clip of that label instead. Who is source and target at once is kept: the paper's count needs it.

    With ``every_image`` the first frame of every clip of the target people is a target; with ``source_clips`` that is
    every test image x every source clip of a list (Dual-MTGAN, sec. IV).

    Args:
        source_people: whose clips drive: a list, or the name of a split; everyone by default.
        source_clips: names of the clips that drive, of these people; all by default.
        target_people: who is animated, likewise.
        target_label: label of the clip that shows the target at rest ("neutral"), where there are such clips.
        every_image: every clip of the target people (and label) shows an image, not the first of each person alone.
        seed: of the first sample's noise.
    """

    def __init__(
        self,
        source_people: str | Sequence[str] | None = None,
        target_people: str | Sequence[str] | None = None,
        target_label: str | None = None,
        seed: int = 0,
        source_clips: Sequence[str] | None = None,
        every_image: bool = False,
    ) -> None:
        super().__init__(seed)
        self.source_clips, self.every_image = source_clips, every_image
        self.source_people, self.target_people = people_of(source_people), people_of(target_people)
        self.target_label = target_label

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Source clips in the order of the index, and for each the targets in the order they were given."""
        sources = self._sources(index)
        targets = self._targets(index)
        pairs = [Pair(source, target) for source in sources for target in targets]
        print_log(f"{len(sources)} source clips x {len(targets)} targets", "current")
        return pairs

    def _sources(self, index: ClipIndex) -> list[ClipRecord]:
        """The clips that drive, in the order of the index."""
        records = index.select(people=self.source_people).records
        if self.source_clips is None:
            return records
        if missing := sorted(set(self.source_clips) - {record.name for record in records}):
            raise DataError(
                f"{len(missing)} source clips are not in the data (first: {missing[0]!r}); names "
                f"look like {records[0].name!r}"
            )
        return [record for record in records if record.name in self.source_clips]

    def _targets(self, index: ClipIndex) -> list[ClipRecord]:
        """One clip a target person, or all of theirs."""
        labels = None if self.target_label is None else [self.target_label]
        candidates = index.select(people=self.target_people, labels=labels)
        first = {record.person: record for record in reversed(candidates.records)}
        people = self.target_people or candidates.people
        if self.every_image:
            return candidates.records
        if missing := [person for person in people if person not in first]:
            wanted = "clip" if self.target_label is None else f"clip of label {self.target_label!r}"
            raise DataError(f"target people without a {wanted}: {', '.join(missing)}; name others in target_people")
        return [first[person] for person in people]


@PROTOCOLS.register_module()
class Stochastic(Protocol):
    """Every clip's first frame with N motions from the prior, the clip itself being the truth (Dual-MTGAN, fig. 6).

    The samples of an image stand together and have seeds of their own: those of image i are ``seed`` + i N and on.
    Scored are the best of the N, by each metric of the config for itself, and how the N differ (table II).

    Args:
        num_samples: N, 2 or more.
        metrics: what compares the samples of an image; by default ``DiversityL1`` and ``DiversityLpips``.
        seed: of the first sample's noise.

    Raises:
        ConfigError: fewer than two samples.
    """

    def __init__(self, num_samples: int = 25, metrics: Sequence[dict] | None = None, seed: int = 0) -> None:
        super().__init__(seed)
        if num_samples < 2:
            raise ConfigError(f"num_samples is how many videos each image gets, 2 or more, not {num_samples}")
        self.num_samples = num_samples
        self.metrics = self.metrics if metrics is None else metrics

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """N samples a clip, in the order of the index."""
        return [Pair(record, motion="prior") for record in index.records for _ in range(self.num_samples)]
