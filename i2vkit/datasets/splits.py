"""Fixed lists of the people to train on and to test on, by data set."""

from collections.abc import Sequence

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.errors import ConfigError, DataError

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

# ImaGINator splits the nine people of the official Weizmann videos six to three and does not name them: by name, our
# choice.
WEIZMANN_OFFICIAL_TRAIN = ("daria", "denis", "eli", "ido", "ira", "lena")
WEIZMANN_OFFICIAL_TEST = ("lyova", "moshe", "shahar")

# ImaGINator trains on 15 of the 20 people of NATOPS and does not say which: the first 15 are our choice.
NATOPS_TRAIN = tuple(f"s{number:02d}" for number in range(1, 16))
NATOPS_TEST = tuple(f"s{number:02d}" for number in range(16, 21))
# LFDM (Ni et al., 2023) trains on ten people and tests on nine, as its released preprocessing prints them, without s01.
NATOPS_LFDM_TRAIN = tuple(f"s{number:02d}" for number in (3, 4, 8, 9, 12, 13, 15, 17, 19, 20))
NATOPS_LFDM_TEST = tuple(f"s{number:02d}" for number in (2, 5, 6, 7, 10, 11, 14, 16, 18))

# The numbers of MUG's 52 people, as the authors of LFDM (Ni et al., 2023) list the folders of their copy. ImaGINator
# trains on 42 and tests on the ten that its released code names.
MUG_PEOPLE = tuple(
    f"{number:03d}"
    for number in (
        *(1, 2, 6, 7, 8, 10, 13, 14, 17, 20, 21, 27, 28, 30, 31, 32, 33, 34, 36, 37, 38, 39, 40, 42, 43, 44),
        *(45, 46, 48, 49, 52, 55, 60, 61, 62, 63, 64, 65, 66, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 82, 83, 84),
    )
)
MUG_TEST = ("017", "034", "045", "055", "060", "064", "065", "073", "078", "083")
MUG_TRAIN = tuple(person for person in MUG_PEOPLE if person not in MUG_TEST)
# FRGAN trains its two stages on two groups of people and tests on a third, as its released code names them
# (datasets/mug/{train,val,test}.txt of github.com/garyzhao/FRGAN). 002 and 049 are in none.
MUG_FRGAN_FORECAST, MUG_FRGAN_REFINE, MUG_FRGAN_TEST = (
    tuple(f"{number:03d}" for number in group)
    for group in (
        (1, 7, 8, 14, 20, 21, 30, 33, 37, 40, 44, 48, 60, 63, 66, 72, 75, 78, 83),
        (6, 10, 13, 17, 27, 31, 32, 34, 38, 42, 45, 52, 61, 64, 70, 73, 76, 79, 84),
        (28, 36, 39, 43, 46, 55, 62, 65, 71, 74, 77, 82),
    )
)
# LFDM (Ni et al., 2023) splits MUG's 52 people in halves; its released preprocessing prints both.
MUG_LFDM_TRAIN = tuple(
    f"{number:03d}"
    for number in (
        8,
        17,
        21,
        28,
        30,
        31,
        34,
        36,
        37,
        38,
        39,
        42,
        43,
        44,
        45,
        55,
        60,
        61,
        62,
        63,
        71,
        75,
        76,
        77,
        83,
        84,
    )
)
MUG_LFDM_TEST = tuple(person for person in MUG_PEOPLE if person not in MUG_LFDM_TRAIN)

# ImaGINator trains on 320 of UvA-NEMO's 400 people and tests on 80, Dual-MTGAN on 1110 and 124 of its clips; neither
# says which. Our choice: every fifth person tests, and every tenth for Dual-MTGAN, a tenth of the clips.
UVA_NEMO_TEST = tuple(f"{number:03d}" for number in range(5, 401, 5))
UVA_NEMO_TRAIN = tuple(f"{number:03d}" for number in range(1, 401) if number % 5)
UVA_NEMO_TENTH = UVA_NEMO_TEST[1::2]
UVA_NEMO_NINE_TENTHS = tuple(f"{number:03d}" for number in range(1, 401) if number % 10)

# The 58 clips of Penn Action on FRGAN's project page: every third of each action, which the numbers leave out here, is
# for the final test only; of the others every third validates, our choice.
_STRIPS = {
    "baseball": (0, 1, 3, 4, 6, 7, 9),
    "clean_and_jerk": (0, 2, 4, 6, 8, 9),
    "golf_swing": (0, 1, 3, 4, 6, 7, 9),
    "jump_rope": (0, 1, 3, 4, 6, 7, 9),
    "jumping_jacks": (0, 1, 3, 4, 6, 7, 9),
    "tennis": (0, 1, 3, 4, 6, 7, 9),
}
PENN_STRIPS_TRAIN = tuple(
    f"{action}/{n}" for action, clips in _STRIPS.items() for p, n in enumerate(clips) if p % 3 < 2
)
PENN_STRIPS_VAL = tuple(f"{action}/{n}" for action, clips in _STRIPS.items() for n in clips[2::3])
PENN_STRIPS_TEST = tuple(
    f"{action}/{n}" for action in _STRIPS for n in ((3, 7) if action == "clean_and_jerk" else (2, 5, 8))
)

# The people of i2v-truth-v1, 24 + 4 + 8 faces and 12 + 3 + 6 figures (synthetic/i2v_truth/parts.py).
_TRUTH = {
    f"i2v_truth/{part}s_{split}": tuple(f"{part}{number:02d}" for number in range(first, last + 1))
    for part, split, first, last in (
        *(("face", "train", 1, 24), ("face", "val", 25, 28), ("face", "test", 29, 36), ("face", "held_out", 25, 36)),
        *(("figure", "train", 1, 12), ("figure", "val", 13, 15), ("figure", "test", 16, 21)),
        ("figure", "held_out", 13, 21),  # all but those who train: who trains on more people leaves these out
        *(("face", "forecast", 1, 12), ("face", "refine", 13, 24)),  # FRGAN's two stages see other people (sec. 4.1)
    )
}
# The same with the 56 people of `benchmark_truth.py prepare --extra-people 56`, face37 to face92.
_TRUTH["i2v_truth/faces_more_forecast"] = (
    *_TRUTH["i2v_truth/faces_forecast"],
    *(f"face{number}" for number in range(37, 65)),
)
_TRUTH["i2v_truth/faces_more_refine"] = (
    *_TRUTH["i2v_truth/faces_refine"],
    *(f"face{number}" for number in range(65, 93)),
)

# A config names a split by its key: a tuple imported into a pure-Python config would be dumped as its dotted path.
SPLITS: dict[str, tuple[str, ...]] = {
    "oulu_casia/train": OULU_TRAIN,
    "oulu_casia/test": OULU_TEST,
    "oulu_casia/transfer_driving": OULU_TRANSFER_SOURCES,
    "mug/train": MUG_TRAIN,
    "mug/test": MUG_TEST,
    "mug/frgan_forecast": MUG_FRGAN_FORECAST,
    "mug/frgan_refine": MUG_FRGAN_REFINE,
    "mug/frgan_test": MUG_FRGAN_TEST,
    "mug/lfdm_train": MUG_LFDM_TRAIN,
    "mug/lfdm_test": MUG_LFDM_TEST,
    "uva_nemo/train": UVA_NEMO_TRAIN,
    "uva_nemo/test": UVA_NEMO_TEST,
    "uva_nemo/mtgan_train": UVA_NEMO_NINE_TENTHS,
    "uva_nemo/mtgan_test": UVA_NEMO_TENTH,
    "weizmann/train": WEIZMANN_TRAIN,
    "weizmann/val": WEIZMANN_VAL,
    "weizmann/paper_train": WEIZMANN_PAPER_TRAIN,
    "weizmann/paper_test": WEIZMANN_PAPER_TEST,
    "weizmann_official/train": WEIZMANN_OFFICIAL_TRAIN,
    "weizmann_official/test": WEIZMANN_OFFICIAL_TEST,
    "natops/train": NATOPS_TRAIN,
    "natops/test": NATOPS_TEST,
    "natops/lfdm_train": NATOPS_LFDM_TRAIN,
    "natops/lfdm_test": NATOPS_LFDM_TEST,
    "penn_strips/train": PENN_STRIPS_TRAIN,
    "penn_strips/val": PENN_STRIPS_VAL,
    "penn_strips/test": PENN_STRIPS_TEST,
    **_TRUTH,
}

# Splits by the clips' own metadata: the column of their table and its value.
METADATA_SPLITS: dict[str, tuple[str, str]] = {
    "penn_action/train": ("split", "train"),
    "penn_action/test": ("split", "test"),
    "penn_action/frgan_forecast": ("frgan", "forecast"),
    "penn_action/frgan_refine": ("frgan", "refine"),
    "penn_action/frgan_test": ("frgan", "test"),
}


def people_of(people: str | int | Sequence[str | int] | None, index: ClipIndex | None = None) -> list[str] | None:
    """Resolve the name of a split, one person or several people into a list. ``None`` means everyone.

    Args:
        people: Name of a split, a person, or several.
        index: The clips. It is needed for a split that is stored in the clips' own metadata.

    Raises:
        ConfigError: Such a split is named and there is no ``index``.
        DataError: The clips of ``index`` do not say which split they belong to.

    >>> people_of("weizmann/val"), people_of("P001"), people_of([3, 4]), people_of(4), people_of(None)
    (['2'], ['P001'], ['3', '4'], ['4'], None)
    """
    if people is None:
        return None
    if isinstance(people, int):  # a command line turns "people=4" into a number
        return [str(people)]
    if isinstance(people, str):
        return _metadata_split(people, index) if people in METADATA_SPLITS else list(SPLITS.get(people, (people,)))
    return [str(person) for person in people]


def _metadata_split(name: str, index: ClipIndex | None) -> list[str]:
    column, value = METADATA_SPLITS[name]
    if index is None:
        raise ConfigError(f"who is in the split {name} is known to the data set only: give it there, as its people")
    if not any(column in record.metadata for record in index.records):
        raise DataError(f"the split {name} needs a column {column} in index.csv, which the clips do not have")
    return sorted({record.person for record in index.records if record.metadata.get(column) == value})
