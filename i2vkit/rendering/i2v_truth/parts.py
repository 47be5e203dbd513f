"""The content of i2v-truth-v1: its people, their performances, and the transfers between people. Nothing is drawn here.

A performance is one way of doing something. Its length, speed, strength and style are drawn from
``default_rng([SEED, 2, number of the performer, index of the label, take])``. So no two people give the same
performance, and a split by people is also a split by performances: those of the test people occur in no other split.
In the ground truth, other people of the same split act them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

VERSION = "i2v-truth-v1"
SEED = 1
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Performance:
    """One performance of one person, for instance the clip "face29/anger/1"."""

    person: str
    label: str
    take: int

    @property
    def name(self) -> str:
        """The name of its clip in the index."""
        return f"{self.person}/{self.label}/{self.take}"


@dataclass(frozen=True)
class BenchmarkPart:
    """One part of the benchmark, the faces or the figures.

    Args:
        name: "faces" or "figures".
        labels: The labels, in the order of the class index.
        people: The numbers of people who train, validate and test. People are numbered from ``first`` on.
        takes: The number of performances that everyone in a split gives of each label.
        size: The side of the rendered pictures in pixels.
        frames: The least and the greatest number of frames of a clip.
        actors: The number of other people who act each performance in the ground truth, in each split.
        first: The number of the first person.
    """

    name: str
    labels: tuple[str, ...]
    people: tuple[int, int, int]
    takes: tuple[int, int, int]
    size: int
    frames: tuple[int, int]
    actors: tuple[int, int, int] = (0, 1, 2)
    first: int = 1

    def person(self, number: int) -> str:
        """Return the name of a person, whose digits are the number.

        >>> FACES.person(3)
        'face03'
        """
        return f"{self.name.removesuffix('s')}{number:02d}"

    def people_of(self, split: str) -> list[str]:
        """Return the people of a split.

        >>> FIGURES.people_of("val")
        ['figure13', 'figure14', 'figure15']
        """
        place = SPLITS.index(split)
        start = self.first + sum(self.people[:place])
        return [self.person(number) for number in range(start, start + self.people[place])]

    def extra(self, number: int) -> "BenchmarkPart":
        """Return a part of ``number`` additional training people only, whose numbers follow those of the set.

        They are not part of i2v-truth-v1. If you train on them, say so with your results.

        >>> FACES.extra(2).people_of("train")
        ['face37', 'face38']
        """
        return replace(self, people=(number, 0, 0), first=self.first + sum(self.people))

    def performances(self, split: str) -> list[Performance]:
        """Return all performances of a split, by person, label and take."""
        takes = range(1, 1 + self.takes[SPLITS.index(split)])
        return [
            Performance(person, label, take)
            for person in self.people_of(split)
            for label in self.labels
            for take in takes
        ]

    def transfers(self, split: str) -> list[tuple[str, Performance]]:
        """Return the transfers of a split as pairs (actor, performance)."""
        people, performances = self.people_of(split), self.performances(split)
        return circulate(people, performances, self.actors[SPLITS.index(split)])

    def samples(self, split: str) -> list[dict]:
        """Return the transfers as a list of samples (``SampleList``).

        The image is the first frame of the actor's own clip of the same label. So the actor starts in a similar pose,
        but the image reveals nothing of the ground truth.
        """
        return [
            {
                "driving": performance.name,
                "image_video": Performance(actor, performance.label, 1).name,
                "motion": "driving",
                "seed": seed,
            }
            for seed, (actor, performance) in enumerate(self.transfers(split))
        ]


def circulate(people: Sequence[str], performances: Sequence[Performance], actors: int) -> list[tuple[str, Performance]]:
    """Assign ``actors`` other people to each performance, with a step after the performer that grows from clip to clip.

    So everybody acts about as often as everybody else, and follows everybody.

    >>> clips = [Performance(person, label, 1) for person in "ab" for label in ("x", "y")]
    >>> [(actor, clip.name) for actor, clip in circulate("abc", clips, 1)]
    [('b', 'a/x/1'), ('c', 'a/y/1'), ('c', 'b/x/1'), ('a', 'b/y/1')]
    """
    pairs, given = [], dict.fromkeys(people, 0)
    for performance in performances:
        own = people.index(performance.person)
        for _ in range(actors):
            # The step never is a multiple of the number of people, so nobody acts an own performance.
            step = 1 + given[performance.person] % (len(people) - 1)
            given[performance.person] += 1
            pairs.append((people[(own + step) % len(people)], performance))
    return pairs


FACES = BenchmarkPart(
    name="faces",
    labels=("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    people=(24, 4, 8),
    takes=(2, 1, 1),
    size=160,
    frames=(20, 26),
)
FIGURES = BenchmarkPart(
    name="figures",
    labels=("bend", "jack", "pjump", "walk", "wave1", "wave2"),
    people=(12, 3, 6),
    takes=(3, 1, 1),
    size=128,
    frames=(22, 28),
)
PARTS = {part.name: part for part in (FACES, FIGURES)}
