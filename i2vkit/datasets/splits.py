"""Who is trained on and who is tested on, by data set, as fixed lists."""

from collections.abc import Sequence

# DTGAN (the paper on Oulu-CASIA) tests on ten of the 80 people and does not say which: the last ten are our choice.
OULU_TRAIN = tuple(f"P{number:03d}" for number in range(1, 71))
OULU_TEST = tuple(f"P{number:03d}" for number in range(71, 81))
# Its transfer test drives ten people by the 24 clips (4 people x 6 expressions) of people it does not name either: the
# first four of ours.
OULU_TRANSFER_SOURCES = OULU_TEST[:4]

# ImaGINator trains on six people of Weizmann and tests on three; MoCoGAN's numbers of the people are 0 to 8, and the
# first six are its training people here. 6 to 8 are for the final test only: nothing may be tuned on them.
WEIZMANN_PAPER_TRAIN = ("0", "1", "2", "3", "4", "5")
WEIZMANN_PAPER_TEST = ("6", "7", "8")
# Subject 2 looks the same in all four actions (0, 1 and 3 change clothes and wall in `jack`): held out to tune on.
WEIZMANN_TRAIN = ("0", "1", "3", "4", "5")
WEIZMANN_VAL = ("2",)

# A config names a split by its key: a tuple imported into a pure-Python config would be dumped as its dotted path.
SPLITS: dict[str, tuple[str, ...]] = {
    "oulu_casia/train": OULU_TRAIN,
    "oulu_casia/test": OULU_TEST,
    "oulu_casia/transfer_sources": OULU_TRANSFER_SOURCES,
    "weizmann/train": WEIZMANN_TRAIN,
    "weizmann/val": WEIZMANN_VAL,
    "weizmann/paper_train": WEIZMANN_PAPER_TRAIN,
    "weizmann/paper_test": WEIZMANN_PAPER_TEST,
}


def people_of(people: str | int | Sequence[str] | None) -> list[str] | None:
    """Resolve the name of a split, one person or several people into a list; ``None`` means everyone.

    >>> people_of("weizmann/val"), people_of("P001"), people_of([3, 4]), people_of(4), people_of(None)
    (['2'], ['P001'], ['3', '4'], ['4'], None)
    """
    if people is None:
        return None
    if isinstance(people, int):  # what a command line makes of "people=4"
        return [str(people)]
    if isinstance(people, str):
        return list(SPLITS.get(people, (people,)))
    return [str(person) for person in people]
