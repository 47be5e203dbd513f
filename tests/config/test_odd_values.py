"""Values of another shape at any place of a config: each ends in one clear error, or means something."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from i2vkit.config.loading import load_config
from i2vkit.errors import I2VError

ODD = (5, -1, "x", "", [1], [], {}, None, True, {"a": 1}, {"type": "Nope"}, [{"type": "Nope"}], float("nan"), 10**30)
CONFIGS = ("dtgan_oulu", "dual_mtgan/dual_mtgan_recipe_faces", "frgan/frgan_forecast_recipe_faces", "mix/dtgan_warped")


def places(config: dict, above: str = "") -> Iterator[str]:
    """The dotted paths of all values of a config."""
    for key, value in config.items():
        yield f"{above}{key}"
        if isinstance(value, dict):
            yield from places(value, f"{above}{key}.")


def tried(name: str) -> list[tuple[str, Any]]:
    return [(place, value) for place in places(load_config(name).to_dict()) for value in ODD]


def refused(name: str, cases: list[tuple[str, Any]]) -> int:
    """How many end in an error of i2vkit. Any other error is not caught."""
    count = 0
    for place, value in cases:
        try:
            load_config(name, {place: value})
        except I2VError as error:
            count += 1
            assert str(error) and "\n\n" not in str(error), (place, value)
    return count


@pytest.mark.parametrize("name", CONFIGS)
def test_a_sample_of_odd_values(name):
    cases = random.Random(0).sample(tried(name), 60)
    assert refused(name, cases) > 40  # the others mean something: {} or None leaves a part out


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_all_odd_values(name):
    cases = tried(name)
    assert len(cases) > 2000 and refused(name, cases) > 0.7 * len(cases)
