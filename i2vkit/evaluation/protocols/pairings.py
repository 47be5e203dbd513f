"""The protocols of the papers."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.index import ClipIndex, ClipRecord
from i2vkit.datasets.pairing import Pair
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
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

    Args:
        source_people: whose clips drive: a list, or the name of a split; everyone by default.
        target_people: who is animated, likewise.
        target_label: label of the clip that shows the target at rest ("neutral"), where there are such clips.
        seed: of the first sample's noise.
    """

    def __init__(
        self,
        source_people: str | Sequence[str] | None = None,
        target_people: str | Sequence[str] | None = None,
        target_label: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self.source_people, self.target_people = people_of(source_people), people_of(target_people)
        self.target_label = target_label

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Source clips in the order of the index, and for each the targets in the order they were given."""
        sources = index.select(people=self.source_people).records
        targets = self._targets(index)
        pairs = [Pair(source, target) for source in sources for target in targets]
        print_log(f"{len(sources)} source clips x {len(targets)} targets", "current")
        return pairs

    def _targets(self, index: ClipIndex) -> list[ClipRecord]:
        """One clip a target person."""
        labels = None if self.target_label is None else [self.target_label]
        candidates = index.select(people=self.target_people, labels=labels)
        first = {record.person: record for record in reversed(candidates.records)}
        people = self.target_people or candidates.people
        if missing := [person for person in people if person not in first]:
            wanted = "clip" if self.target_label is None else f"clip of label {self.target_label!r}"
            raise DataError(f"target people without a {wanted}: {', '.join(missing)}; name others in target_people")
        return [first[person] for person in people]
