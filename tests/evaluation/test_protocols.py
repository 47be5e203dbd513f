"""Protocols: which samples, in which order, with which seeds and truths; lists of samples as files."""

import json

import pytest

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols import Reconstruction, SampleList, Transfer, describe, write_samples
from i2vkit.registry import PROTOCOLS

EXPRESSIONS = ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise"]


def clip(person, label, name="VL_Strong"):
    return ClipRecord(f"{person}/{label}/{name}", FrameFolder(()), person, label, num_frames=16)


@pytest.fixture
def index():
    people = [f"P{number:03d}" for number in range(71, 81)]
    return ClipIndex([clip(person, label) for person in people for label in EXPRESSIONS], EXPRESSIONS)


def test_reconstruction_takes_every_clip_once(index):
    pairs = Reconstruction(seed=5).pairs(index)
    assert [pair.driving for pair in pairs] == index.records
    assert all(pair.image_video is None and pair.truth is None and pair.motion == "driving" for pair in pairs)
    assert [pair.seed for pair in pairs] == list(range(5, 65))


def test_transfer_makes_the_240_videos_of_the_paper(index):
    pairs = Transfer(["P071", "P072", "P073", "P074"], index.people).pairs(index)
    assert len(pairs) == 6 * 4 * 10
    assert len({(pair.driving.name, pair.image_video.name) for pair in pairs}) == 240
    assert {pair.image_video.name for pair in pairs} == {f"{person}/Anger/VL_Strong" for person in index.people}
    assert {pair.driving.person for pair in pairs} == {"P071", "P072", "P073", "P074"}
    assert len({pair.name for pair in pairs}) == 240
    assert [pair.seed for pair in pairs] == list(range(240))


def test_transfer_has_a_stable_order(index):
    """Sources as in the index, then targets as given."""
    pairs = Transfer(["P072", "P071"], ["P080", "P075"]).pairs(index)
    assert [describe(pair)["driving"] for pair in pairs[:3]] == ["P071/Anger/VL_Strong"] * 2 + [
        "P071/Disgust/VL_Strong"
    ]
    assert [pair.image_video.person for pair in pairs[:4]] == ["P080", "P075", "P080", "P075"]


def test_transfer_takes_names_of_splits(index):
    pairs = Transfer("oulu_casia/transfer_driving", "oulu_casia/test").pairs(index)
    assert len(pairs) == 240


def test_transfer_shows_targets_by_a_label(index):
    neutral = ClipIndex([*index.records, clip("P075", "Neutral")], [*EXPRESSIONS, "Neutral"])
    pairs = Transfer(["P071"], ["P075"], image_label="Neutral").pairs(neutral)
    assert {pair.image_video.name for pair in pairs} == {"P075/Neutral/VL_Strong"}
    with pytest.raises(DataError, match=r"Neutral.*P076"):
        Transfer(["P071"], ["P075", "P076"], image_label="Neutral").pairs(neutral)


def test_people_who_are_not_there_are_named(index):
    with pytest.raises(DataError, match="P071"):
        Transfer(["P999"]).pairs(index)
    with pytest.raises(DataError, match="P999"):
        Transfer(["P071"], ["P072", "P999"]).pairs(index)


def test_a_written_list_replays_the_same_samples(index, tmp_path):
    pairs = Transfer(["P071"], ["P071", "P072"], seed=3).pairs(index)
    write_samples(pairs, tmp_path / "samples.json")
    assert SampleList(tmp_path / "samples.json").pairs(index) == pairs
    (tmp_path / "metrics.json").write_text(json.dumps({"samples": [describe(pair) for pair in pairs[::-1]]}))
    assert SampleList(tmp_path / "metrics.json").pairs(index) == pairs[::-1]


def test_lists_that_do_not_fit_say_what_is_wrong(index, tmp_path):
    path = tmp_path / "samples.json"
    with pytest.raises(DataError, match="cannot be read"):
        SampleList(path).pairs(index)
    path.write_text('{"samples": []}')
    with pytest.raises(DataError, match="no list of samples"):
        SampleList(path).pairs(index)
    path.write_text('[{"driving": "P071/Anger/VL_Strong"}]')
    with pytest.raises(DataError, match="sample 0 is not an object with driving, image_video"):
        SampleList(path).pairs(index)
    path.write_text('[{"driving": "P001/x", "image_video": null, "motion": "driving", "seed": 0}]')
    with pytest.raises(DataError, match=r"names 1 clips that the data lack.*P001/x"):
        SampleList(path).pairs(index)


def test_protocols_are_registered():
    for name in ("Reconstruction", "Transfer", "SampleList"):
        assert PROTOCOLS.get(name) is not None
