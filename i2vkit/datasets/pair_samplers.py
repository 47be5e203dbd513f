"""Which clip drives whom: pairings turn the clips of an index into pairs.

A pairing has ``pairs(index) -> list[Pair]``. One that picks the target anew each time also has
``draw(pair, index, rng) -> Pair``, and leaves the target of its pairs open.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from i2vkit.datasets.index import ClipIndex, ClipRecord
from i2vkit.datasets.interfaces import PairSampler
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
from i2vkit.registry import PAIRINGS


@dataclass(frozen=True)
class Pair:
    """What is generated from what.

    ``source`` drives. ``target`` is a clip of the person to animate, by its first frame; without one the source
    animates itself. ``truth`` shows the target doing what the source does, where that is known. ``motion`` is "source"
    or "prior", where motion is drawn at random with ``seed``. ``label`` is asked for in place of the source's own.
    ``span`` says to which of its frames, start to stop - 1, the source was cut, and ``maps`` from which column of its
    side its condition maps come, where that is not "maps".
    """

    source: ClipRecord
    target: ClipRecord | None = None
    truth: ClipRecord | None = None
    motion: str = "source"
    seed: int = 0
    label: str | None = None
    span: tuple[int, int] | None = None
    maps: str | None = None

    @property
    def name(self) -> str:
        """Name of what is generated, for instance "P001/Anger/a", "P002/Fear/b__P001/Anger/a", "P001/Anger/a@3" (begun
        at frame 3) or "P001/Anger/a+Fear" (with another label); pairs that differ in their seed only share it.
        """
        name = self.source.name if self.target is None else f"{self.target.name}__{self.source.name}"
        start = "" if self.span is None else f"@{self.span[0]}"
        return name + start + ("" if self.label is None else f"+{self.label}")


@PAIRINGS.register_module()
class SameClip(PairSampler):
    """Every clip on its own: its first frame is animated by its own motion."""

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, without a target."""
        return [Pair(record) for record in index.records]


@PAIRINGS.register_module()
class SamePerson(PairSampler):
    """Every clip with another clip of the same person, drawn anew each time.

    Falls back to any other clip where the person has one clip only.
    """

    def __init__(self) -> None:
        self._index: ClipIndex | None = None
        self._by_person: dict[str, list[ClipRecord]] = {}

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, its target still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the target. Raises ``DataError`` if there is no second clip at all."""
        if self._index is not index:  # sorted once: a set of forty thousand clips is drawn from as often
            self._index, self._by_person = index, defaultdict(list)
            for record in index.records:
                self._by_person[record.person].append(record)
        return replace(pair, target=_draw_other(pair.source, self._by_person[pair.source.person], index, rng))


@PAIRINGS.register_module()
class OtherPerson(PairSampler):
    """Every clip with a clip of another person, drawn anew each time; with ``same_label`` one of the same label.

    Falls back to any clip of another person where none has the label, and to any other clip where there is nobody else.
    """

    def __init__(self, same_label: bool = False):
        self.same_label = same_label

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, its target still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the target. Raises ``DataError`` if there is no second clip at all."""
        others = [record for record in index.records if record.person != pair.source.person]
        if self.same_label:
            others = [record for record in others if record.label == pair.source.label] or others
        return replace(pair, target=_draw_other(pair.source, others, index, rng))


@PAIRINGS.register_module()
class AllPairs(PairSampler):
    """Every clip of the people ``sources`` with every person of ``targets``; ``None`` means everyone.

    The target's clip is the one with the source's label, or else the target's first. A person may be their own target.
    """

    def __init__(self, sources: str | Sequence[str] | None = None, targets: str | Sequence[str] | None = None):
        self.sources = people_of(sources)
        self.targets = people_of(targets)

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """All pairs, source by source. Raises ``DataError`` if no one of ``sources`` or ``targets`` is there."""
        targets = index.select(people=self.targets)
        by_person = {person: targets.select(people=[person]).records for person in targets.people}
        return [
            Pair(source, next((record for record in records if record.label == source.label), records[0]))
            for source in index.select(people=self.sources).records
            for records in by_person.values()
        ]


def _draw_other(
    source: ClipRecord, candidates: list[ClipRecord], index: ClipIndex, rng: np.random.Generator
) -> ClipRecord:
    """Draw one of ``candidates`` but ``source``; where there is none, any other clip of ``index``."""
    others = [record for record in candidates if record.name != source.name]
    others = others or [record for record in index.records if record.name != source.name]
    if not others:
        raise DataError(f"{source.name} is the only clip: pairs need two; use SameClip")
    return others[rng.integers(len(others))]
