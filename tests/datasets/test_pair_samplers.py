from collections import Counter

import numpy as np
import pytest

from i2vkit.datasets import AllPairs, OtherPerson, SameClip, SamePerson, people_of
from i2vkit.errors import DataError

from .conftest import make_index

INDEX = make_index("ann/run/a", "ann/wave/a", "ann/wave/b", "bob/run/a", "bob/wave/a", "cem/run/a")


def drawn(pair_sampler, number, index=INDEX, times=200):
    """Count the targets drawn for clip ``number``."""
    pair = pair_sampler.pairs(index)[number]
    return Counter(pair_sampler.draw(pair, index, np.random.default_rng([0, i])).image_video.name for i in range(times))


def test_same_clip_has_no_target():
    pairs = SameClip().pairs(INDEX)
    assert [pair.name for pair in pairs] == [record.name for record in INDEX.records]
    assert all(pair.image_video is None for pair in pairs)


def test_same_person_draws_evenly_among_their_other_clips():
    counts = drawn(SamePerson(), 0)
    assert set(counts) == {"ann/wave/a", "ann/wave/b"}
    assert min(counts.values()) > 70


def test_same_person_draws_from_the_index_it_is_given():
    """The index is sorted by person once; another one is sorted anew."""
    pair_sampler, other = SamePerson(), make_index("ann/jump/a", "ann/jump/b", "bob/run/a")
    rng = np.random.default_rng(0)
    for index, expected in ((INDEX, {"ann/wave/a", "ann/wave/b"}), (other, {"ann/jump/b"}), (INDEX, None)):
        drawn = {pair_sampler.draw(pair_sampler.pairs(index)[0], index, rng).image_video.name for _ in range(20)}
        assert drawn == (expected or {"ann/wave/a", "ann/wave/b"})


def test_same_person_falls_back_to_any_other_clip():
    assert set(drawn(SamePerson(), 5)) == {record.name for record in INDEX.records[:5]}


def test_other_person_and_its_fallbacks():
    assert set(drawn(OtherPerson(), 0)) == {"bob/run/a", "bob/wave/a", "cem/run/a"}
    assert set(drawn(OtherPerson(same_label=True), 0)) == {"bob/run/a", "cem/run/a"}
    alone = make_index("ann/run/a", "ann/wave/a")
    assert set(drawn(OtherPerson(), 0, alone)) == {"ann/wave/a"}
    other_label = make_index("ann/run/a", "bob/wave/a")
    assert set(drawn(OtherPerson(same_label=True), 0, other_label)) == {"bob/wave/a"}


def test_one_clip_makes_no_pair():
    with pytest.raises(DataError, match="ann/run/a is the only clip"):
        drawn(OtherPerson(), 0, make_index("ann/run/a"))


def test_all_pairs_take_the_target_clip_of_the_same_label():
    pairs = AllPairs(driving_people=["ann"], image_people=["ann", "bob", "cem"]).pairs(INDEX)
    assert [pair.name for pair in pairs[:6]] == [
        "ann/run/a__ann/run/a",
        "bob/run/a__ann/run/a",
        "cem/run/a__ann/run/a",
        "ann/wave/a__ann/wave/a",
        "bob/wave/a__ann/wave/a",
        "cem/run/a__ann/wave/a",
    ]
    assert len(pairs) == 9
    assert len(AllPairs().pairs(INDEX)) == 6 * 3


def test_splits_are_known_by_name():
    assert people_of("oulu_casia/train") == [f"P{number:03d}" for number in range(1, 71)]
    assert people_of("oulu_casia/test") == [f"P{number:03d}" for number in range(71, 81)]
    assert people_of("oulu_casia/transfer_driving") == ["P071", "P072", "P073", "P074"]
    assert not set(people_of("weizmann/train")) & {"2", "6", "7", "8"}
