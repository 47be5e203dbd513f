"""Assignment of subjects: which people are in a rendered set, and whose clip each of them acts in the ground truth."""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

from i2vkit.errors import ConfigError


class ShowsPerson(Protocol):
    """The interface of clips to render, in which `person` is seen."""

    @property
    def person(self) -> str:
        """The person who is seen."""


ClipType = TypeVar("ClipType", bound=ShowsPerson)


def assign_transfers(
    truth: str,
    clips: dict[str, ClipType],
    people: Sequence[str],
    tested: Sequence[str],
    driving: Callable[[ClipType], bool] = lambda clip: True,
    sources: int = 4,
) -> list[tuple[str, ClipType]]:
    """Return the transfers of the ground truth as pairs of actor and driving clip, sorted by both.

    Args:
        truth: "transfer": the first `sources` of the `tested` people drive all of them, themselves included. "none": no
            transfers. Or pairs "ACTOR:CLIP,ACTOR:CLIP".
        clips: All raw clips, by the key that names them in a pair.
        people: All people.
        tested: The people who are kept for testing.
        driving: A function that says which clips of the driving people "transfer" uses.
        sources: The number of people who drive.

    Raises:
        ConfigError: `truth` has another form, or names a person or a clip that does not exist.
    """
    if truth == "none":
        return []
    if truth == "transfer":
        chosen = [clip for clip in clips.values() if clip.person in tested[:sources] and driving(clip)]
        return [(actor, clip) for actor in tested for clip in chosen]
    pairs = set()
    for text in truth.split(","):
        actor, _, key = text.strip().partition(":")
        if actor not in people or key not in clips:
            example = next(iter(clips))
            raise ConfigError(
                f"truth {text.strip()!r}: expected 'transfer', 'none' or pairs like '{people[-1]}:{example}' "
                f"({people[-1]} does the clip {example}) of the {len(people)} people {people[0]} to {people[-1]} and "
                f"their {len(clips)} clips"
            )
        pairs.add((actor, key))
    return [(actor, clips[key]) for actor, key in sorted(pairs)]


def choose_subjects(number: int, train: Sequence[str], test: Sequence[str]) -> tuple[list[str], list[str]]:
    """Choose `number` people of a set so that both sides of the split are present.

    A fifth of them test, but at least two if there are four or more people. The files of a person are the same for
    every number of people.

    Returns:
        The chosen people, sorted, and those of them who test.

    Raises:
        ConfigError: `number` is below one or above the number of people.

    >>> choose_subjects(4, ["001", "002", "003"], ["017", "034"])
    (['001', '002', '017', '034'], ['017', '034'])
    """
    if not 1 <= number <= len(train) + len(test):
        raise ConfigError(f"people must be from 1 to {len(train) + len(test)}, got {number}")
    # Test people have the same share as in the whole set.
    testing = min(max(2, round(number * len(test) / (len(train) + len(test)))), number // 2)
    return sorted([*train[: number - testing], *test[:testing]]), list(test[:testing])


def choose_subjects_per_group(number: int, *groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """Choose `number` people, taking one from each group in turn. The last group is the test group.

    Returns:
        The chosen people, sorted, and those of them who test.

    Raises:
        ConfigError: `number` is below the number of groups or above the number of people.

    >>> choose_subjects_per_group(5, ["001", "002", "006"], ["038", "039"], ["071"])
    (['001', '002', '038', '039', '071'], ['071'])
    """
    people = sum(map(len, groups))
    if not len(groups) <= number <= people:
        raise ConfigError(f"people must be from {len(groups)}, one for each group, to {people}, got {number}")
    # zip_longest pads shorter groups with None.
    chosen = list(filter(None, chain.from_iterable(zip_longest(*groups))))[:number]
    return sorted(chosen), [person for person in groups[-1] if person in chosen]
