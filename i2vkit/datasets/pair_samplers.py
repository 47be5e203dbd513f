"""Which clip drives whom: pair samplers turn the clips of an index into pairs.

A pair sampler has ``pairs(index) -> list[Pair]``. One that picks the image video anew each time also has
``draw(pair, index, rng) -> Pair``, and leaves the image video of its pairs open.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.interfaces import PairSampler
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
from i2vkit.registry import PAIR_SAMPLERS


@dataclass(frozen=True)
class Pair:
    """What is generated from what.

    ``driving`` is the clip that drives. ``image_video`` is a clip of the person to animate, by its first frame; without
    one the driving clip animates itself. ``truth`` shows the person in the image doing what the driving clip does,
    where that is known. ``motion`` is "driving" or "prior", where motion is drawn at random with ``seed``. ``label`` is
    asked for in place of the driving clip's own. ``span`` says to which of its frames, start to stop - 1, the driving
    clip was cut, and ``maps`` from which column of its side its condition maps come, where that is not "maps".
    """

    driving: ClipRecord
    image_video: ClipRecord | None = None
    truth: ClipRecord | None = None
    motion: str = "driving"
    seed: int = 0
    label: str | None = None
    span: tuple[int, int] | None = None
    maps: str | None = None

    @property
    def name(self) -> str:
        """Name of what is generated, for instance "P001/Anger/a", "P002/Fear/b__P001/Anger/a", "P001/Anger/a@3" (begun
        at frame 3) or "P001/Anger/a+Fear" (with another label); pairs that differ in their seed only share it.
        """
        name = self.driving.name if self.image_video is None else f"{self.image_video.name}__{self.driving.name}"
        start = "" if self.span is None else f"@{self.span[0]}"
        return name + start + ("" if self.label is None else f"+{self.label}")


@PAIR_SAMPLERS.register_module()
class SameClip(PairSampler):
    """Every clip on its own: its first frame is animated by its own motion."""

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, without an image video."""
        return [Pair(record) for record in index.records]


@PAIR_SAMPLERS.register_module()
class SamePerson(PairSampler):
    """Every clip with another clip of the same person, drawn anew each time.

    Falls back to any other clip where the person has one clip only.
    """

    def __init__(self) -> None:
        self._index: ClipIndex | None = None
        self._by_person: dict[str, list[ClipRecord]] = {}

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, its image video still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the image video. Raises ``DataError`` if there is no second clip at all."""
        if self._index is not index:  # sorted once: a set of forty thousand clips is drawn from as often
            self._index, self._by_person = index, defaultdict(list)
            for record in index.records:
                self._by_person[record.person].append(record)
        return replace(pair, image_video=_draw_other(pair.driving, self._by_person[pair.driving.person], index, rng))


@PAIR_SAMPLERS.register_module()
class OtherPerson(PairSampler):
    """Every clip with a clip of another person, drawn anew each time; with ``same_label`` one of the same label.

    Falls back to any clip of another person where none has the label, and to any other clip where there is nobody else.
    """

    def __init__(self, same_label: bool = False):
        self.same_label = same_label

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """One pair a clip, its image video still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the image video. Raises ``DataError`` if there is no second clip at all."""
        others = [record for record in index.records if record.person != pair.driving.person]
        if self.same_label:
            others = [record for record in others if record.label == pair.driving.label] or others
        return replace(pair, image_video=_draw_other(pair.driving, others, index, rng))


@PAIR_SAMPLERS.register_module()
class AllPairs(PairSampler):
    """Every clip of the people ``driving_people`` with every person of ``image_people``; ``None`` means everyone.

    The image is of the clip with the driving clip's label, or else that person's first. A person may drive their own
    image.
    """

    def __init__(
        self, driving_people: str | Sequence[str] | None = None, image_people: str | Sequence[str] | None = None
    ):
        self.driving_people = people_of(driving_people)
        self.image_people = people_of(image_people)

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """All pairs, driving clip by driving clip. Raises ``DataError`` if no one of ``driving_people`` or
        ``image_people`` is there.
        """
        image_people = index.select(people=self.image_people)
        by_person = {person: image_people.select(people=[person]).records for person in image_people.people}
        return [
            Pair(driving, next((record for record in records if record.label == driving.label), records[0]))
            for driving in index.select(people=self.driving_people).records
            for records in by_person.values()
        ]


def _draw_other(
    driving: ClipRecord, candidates: list[ClipRecord], index: ClipIndex, rng: np.random.Generator
) -> ClipRecord:
    """Draw one of ``candidates`` but ``driving``; where there is none, any other clip of ``index``."""
    others = [record for record in candidates if record.name != driving.name]
    others = others or [record for record in index.records if record.name != driving.name]
    if not others:
        raise DataError(f"{driving.name} is the only clip: pairs need two; use SameClip")
    return others[rng.integers(len(others))]
