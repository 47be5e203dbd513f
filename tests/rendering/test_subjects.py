"""People of small rendered sets: a few are enough for every config of the set, whoever its split names."""

import pytest

from i2vkit.datasets.splits import SPLITS
from i2vkit.rendering.subjects import choose_subjects

# FRGAN's groups of MUG are rendered by --split frgan.
CHOSEN_OTHERWISE = ("mug/frgan_forecast", "mug/frgan_refine", "mug/frgan_test")


@pytest.mark.parametrize("name", ["oulu_casia", "mug", "uva_nemo", "natops", "weizmann_official"])
def test_four_people_or_more_are_in_every_split_of_the_set(name):
    train, test = SPLITS[f"{name}/train"], SPLITS[f"{name}/test"]
    splits = [key for key in SPLITS if key.startswith(f"{name}/") and key not in CHOSEN_OTHERWISE]
    for number in range(4, len(train) + len(test) + 1):
        people, tested = choose_subjects(number, train, test)
        assert len(people) == number and set(tested) == set(people) & set(test)
        assert [key for key in splits if not set(people) & set(SPLITS[key])] == []
