"""The published groups of people: whole, apart, and those that their authors name."""

from itertools import combinations

import pytest

from i2vkit.datasets import SPLITS
from i2vkit.datasets.splits import MUG_PEOPLE


def test_frgans_three_groups_are_those_of_its_released_code():
    forecast, refine, test = (SPLITS[f"mug/frgan_{group}"] for group in ("forecast", "refine", "test"))
    assert [len(group) for group in (forecast, refine, test)] == [19, 19, 12]
    assert sorted(forecast + refine + test) == sorted(set(MUG_PEOPLE) - {"002", "049"})
    # The first and last names of datasets/mug/{train,val,test}.txt.
    assert [(group[0], group[-1]) for group in (forecast, refine, test)] == [
        ("001", "083"),
        ("006", "084"),
        ("028", "082"),
    ]
    assert {"072", "075", "078", "083"} <= set(forecast) and {"073", "076", "079", "084"} <= set(refine)


def test_lfdms_people_are_halves_of_mug_and_nineteen_of_natops():
    assert len(SPLITS["mug/lfdm_train"]) == len(SPLITS["mug/lfdm_test"]) == 26
    assert sorted(SPLITS["mug/lfdm_train"] + SPLITS["mug/lfdm_test"]) == sorted(MUG_PEOPLE)
    assert SPLITS["mug/lfdm_test"][:3] == ("001", "002", "006") and SPLITS["mug/lfdm_train"][-1] == "084"
    natops = SPLITS["natops/lfdm_train"] + SPLITS["natops/lfdm_test"]
    assert sorted(natops) == [f"s{number:02d}" for number in range(2, 21)]
    assert len(SPLITS["natops/lfdm_train"]) == 10


@pytest.mark.parametrize(
    "groups",
    [
        ("mug/train", "mug/test"),
        ("mug/frgan_forecast", "mug/frgan_refine", "mug/frgan_test"),
        ("mug/lfdm_train", "mug/lfdm_test"),
        ("natops/train", "natops/test"),
        ("natops/lfdm_train", "natops/lfdm_test"),
        ("uva_nemo/train", "uva_nemo/test"),
        ("uva_nemo/mtgan_train", "uva_nemo/mtgan_test"),
        ("weizmann_official/train", "weizmann_official/test"),
    ],
)
def test_nobody_is_in_two_groups(groups):
    for one, other in combinations(groups, 2):
        assert not set(SPLITS[one]) & set(SPLITS[other])
