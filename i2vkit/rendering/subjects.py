"""Who is in a rendered set, and who does whose clip in its ground truth."""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

from i2vkit.errors import ConfigError


class ShowsPerson(Protocol):
    """A clip to render: `person` is seen in it."""

    person: str


ClipType = TypeVar("ClipType", bound=ShowsPerson)


def assign_transfers(
    truth: str,
    clips: dict[str, ClipType],
    people: Sequence[str],
    tested: Sequence[str],
    driving: Callable[[ClipType], bool] = lambda clip: True,
    sources: int = 4,
) -> list[tuple[str, ClipType]]:
    """Who does whose clip in the ground truth to render: actor and driving clip, sorted by both.

    Args:
        truth: "transfer": the first `sources` of the `tested` people drive all of them, themselves included; "none"; or
            pairs "ACTOR:CLIP,ACTOR:CLIP".
        clips: All raw clips, by the key that names them in a pair.
        people: Everyone.
        tested: Those kept for testing.
        driving: Which clips of the sources "transfer" takes.
        sources: How many people drive.

    Raises:
        ConfigError: Not of that form, or a person or a clip that does not exist.
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
    """`number` of the people of a set, sorted, and those of them who test, so that both sides of the split are there.

    A fifth tests, but at least two where there are four; the files of a person are the same whatever the number.

    Raises:
        ConfigError: Fewer than one or more than there are.

    >>> choose_subjects(4, ["001", "002", "003"], ["017", "034"])
    (['001', '002', '017', '034'], ['017', '034'])
    """
    if not 1 <= number <= len(train) + len(test):
        raise ConfigError(f"people must be from 1 to {len(train) + len(test)}, got {number}")
    testing = min(max(2, round(number * len(test) / (len(train) + len(test)))), number // 2)
    return sorted([*train[: number - testing], *test[:testing]]), list(test[:testing])


def choose_subjects_per_group(number: int, *groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """`number` people, sorted, taken from the groups by turns, and those of them who are of the last, the test group.

    Raises:
        ConfigError: Fewer than there are groups, or more than there are people.

    >>> choose_subjects_per_group(5, ["001", "002", "006"], ["038", "039"], ["071"])
    (['001', '002', '038', '039', '071'], ['071'])
    """
    people = sum(map(len, groups))
    if not len(groups) <= number <= people:
        raise ConfigError(f"people must be from {len(groups)}, one a group, to {people}, got {number}")
    chosen = list(filter(None, chain.from_iterable(zip_longest(*groups))))[:number]
    return sorted(chosen), [person for person in groups[-1] if person in chosen]
