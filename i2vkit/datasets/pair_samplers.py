"""Pair samplers: they choose which clip drives which image.

A pair sampler has ``pairs(index) -> list[Pair]``. One that draws the image video for every sample also has ``draw(pair,
index, rng) -> Pair``, and leaves the image video of its pairs open.
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
    """One thing to generate: the image, the motion, and the truth if it is known.

    Args:
        driving: The clip that drives.
        image_video: A clip of the person to animate. Its first frame is the image. By default the driving clip animates
            its own first frame.
        truth: A clip in which the person in the image does what the driving clip does, if there is one.
        motion: "driving" (the default), or "prior" if the motion is drawn at random.
        seed: Seed of that draw.
        label: A label to generate in place of the driving clip's own.
        span: The frames (start, stop - 1 included) to which the driving clip was cut, or None.
        observed: Number of leading driving frames that are given to the model. Default 1.
        maps: The metadata column of the driving clip's condition maps, if it is not "maps".
    """

    driving: ClipRecord
    image_video: ClipRecord | None = None
    truth: ClipRecord | None = None
    motion: str = "driving"
    seed: int = 0
    label: str | None = None
    span: tuple[int, int] | None = None
    maps: str | None = None
    observed: int = 1

    @property
    def name(self) -> str:
        """Return the name of the generated video. Pairs that differ only in their seed share it.

        It is "P001/Anger/a" for a clip alone, and "P002/Fear/b__P001/Anger/a" for an image video and a driving clip. A
        driving clip that begins at frame 3 adds "@3", and another label adds "+Fear".
        """
        name = self.driving.name if self.image_video is None else f"{self.image_video.name}__{self.driving.name}"
        start = "" if self.span is None else f"@{self.span[0]}"
        return name + start + ("" if self.label is None else f"+{self.label}")


@PAIR_SAMPLERS.register_module()
class SameClip(PairSampler):
    """A pair sampler that takes every clip alone: its own motion animates its first frame."""

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return one pair for each clip, without an image video."""
        return [Pair(record) for record in index.records]


@PAIR_SAMPLERS.register_module()
class SamePerson(PairSampler):
    """A pair sampler that draws another clip of the same person for every sample.

    If the person has one clip only, it draws any other clip.
    """

    def __init__(self) -> None:
        self._index: ClipIndex | None = None
        self._by_person: dict[str, list[ClipRecord]] = {}

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return one pair for each clip, with the image video still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the image video.

        Raises:
            DataError: There is no second clip at all.
        """
        # Grouped once for an index, because an epoch of forty thousand clips draws as often.
        if self._index is not index:
            self._index, self._by_person = index, defaultdict(list)
            for record in index.records:
                self._by_person[record.person].append(record)
        return replace(pair, image_video=_draw_other(pair.driving, self._by_person[pair.driving.person], index, rng))


@PAIR_SAMPLERS.register_module()
class OtherPerson(PairSampler):
    """A pair sampler that draws a clip of another person for every sample.

    If no other person has a clip with the label, it draws any clip of another person. If there is no other person, it
    draws any other clip.

    Args:
        same_label: Draw among the clips with the driving clip's label. Default False.
    """

    def __init__(self, same_label: bool = False):
        self.same_label = same_label

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return one pair for each clip, with the image video still open."""
        return [Pair(record) for record in index.records]

    def draw(self, pair: Pair, index: ClipIndex, rng: np.random.Generator) -> Pair:
        """Fill in the image video.

        Raises:
            DataError: There is no second clip at all.
        """
        others = [record for record in index.records if record.person != pair.driving.person]
        if self.same_label:
            others = [record for record in others if record.label == pair.driving.label] or others
        return replace(pair, image_video=_draw_other(pair.driving, others, index, rng))


@PAIR_SAMPLERS.register_module()
class AllPairs(PairSampler):
    """A pair sampler that combines every driving clip with every person.

    The image is from the person's clip with the driving clip's label, or else from their first clip. A person may drive
    their own image.

    Args:
        driving_people: People, or the name of a split, whose clips drive. By default everyone.
        image_people: People, or the name of a split, who are animated. By default everyone.
    """

    def __init__(
        self, driving_people: str | Sequence[str] | None = None, image_people: str | Sequence[str] | None = None
    ):
        self.driving_people = people_of(driving_people)
        self.image_people = people_of(image_people)

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """Return all pairs, driving clip by driving clip.

        Raises:
            DataError: No one of ``driving_people`` or ``image_people`` has a clip.
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
    """Draw one of ``candidates`` other than ``driving``. If there is none, draw any other clip of ``index``."""
    others = [record for record in candidates if record.name != driving.name]
    others = others or [record for record in index.records if record.name != driving.name]
    if not others:
        raise DataError(f"{driving.name} is the only clip: pairs need two; use SameClip")
    return others[rng.integers(len(others))]
