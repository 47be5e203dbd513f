"""Bootstrap intervals against the normal approximation; people are drawn as a whole."""

import numpy as np
import pytest

from i2vkit.evaluation.statistics import bootstrap_interval


def test_interval_of_many_values_is_the_normal_one():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_copies_of_a_video_make_nothing_surer_if_they_are_of_one_person():
    values = np.random.default_rng(0).normal(size=30)
    once = bootstrap_interval(values, groups=range(30))
    copied = bootstrap_interval(np.repeat(values, 10), groups=np.repeat(np.arange(30), 10))
    alone = bootstrap_interval(np.repeat(values, 10))
    width = lambda interval: interval[1] - interval[0]  # noqa: E731
    assert width(copied) == pytest.approx(width(once), rel=0.1)
    assert width(alone) < 0.5 * width(copied)


def test_people_with_more_videos_weigh_more():
    low, high = bootstrap_interval([0.0, 1.0, 1.0, 1.0], groups="abbb")
    assert (low, high) == (0.0, 1.0)


def test_one_person_says_nothing():
    assert np.isnan(bootstrap_interval([1.0, 2.0], groups="aa")).all()
    with pytest.raises(ValueError, match="got 2 values and 1 groups"):
        bootstrap_interval([1.0, 2.0], groups="a")
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([])
