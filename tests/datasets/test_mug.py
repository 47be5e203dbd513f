"""MUG's raw layout with all that is odd in it."""

import numpy as np
import pytest

from i2vkit.datasets import SPLITS, Mug
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.splits import MUG_PEOPLE
from i2vkit.errors import DataError
from i2vkit.media import write_image
from i2vkit.preparation.landmarks import write_landmarks


def write_take(folder, numbers=(0, 1, 2), value=0):
    for number in numbers:
        write_image(folder / f"img_{number:04d}.jpg", np.full((8, 8, 3), value + 20 * number, np.uint8))


def names(index):
    return [record.name for record in index.records]


def test_takes_are_found_at_any_depth(tmp_path):
    people = tmp_path / "mug/subjects3"
    write_take(people / "001/anger/take001")
    write_take(people / "001/anger/take000")
    write_take(people / "002/session1/sadness/take000")
    write_take(people / "002/session0/sadness/take000")
    write_take(people / "010/010/neutral/take000")  # some copies hold a person's folder within itself
    expected = [
        "001/anger/take000",
        "001/anger/take001",
        "002/sadness/session0_take000",
        "002/sadness/session1_take000",
        "010/neutral/take000",
    ]
    index = Mug(str(tmp_path)).index()
    assert names(index) == expected and index.skipped == []
    assert index.labels == ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    assert names(Mug(str(people)).index()) == expected
    assert names(Mug(str(people / "002")).index()) == expected[2:4]
    record = index.records[2]
    assert (record.person, record.label, record.num_frames, record.fps) == ("002", "sadness", 3, 19.0)


def test_frames_are_sorted_and_never_counted_up(tmp_path):
    folder = tmp_path / "subjects3/001/fear/take002"
    write_take(folder, numbers=(10, 3, 4, 7))
    write_image(folder / "img_0005.avi.png", np.full((8, 8, 3), 100, np.uint8))
    (folder / "img_0005.avi.png").rename(folder / "movie.avi")
    (record,) = Mug(str(tmp_path)).index().records
    assert record.num_frames == 4
    values = record.frames.read(range(4))[:, 0, 0, 0].astype(int)
    np.testing.assert_allclose(values, [60, 80, 140, 200], atol=1)  # JPEG


@pytest.mark.parametrize("place", ["", "mug", "mug/subjects3"])
def test_landmarks_by_the_numbers_of_the_frames(tmp_path, place):
    write_take(tmp_path / "mug/subjects3/002/session0/fear/take000", numbers=(3, 4, 6))
    write_take(tmp_path / "mug/subjects3/002/session0/fear/take001")
    points = np.arange(4 * 5 * 2, dtype=float).reshape(4, 5, 2)
    table = tmp_path / "mug/landmarks/002/session0/fear/take000.csv"
    write_landmarks(table, points, first=3)
    table.write_text("".join(line for line in table.read_text().splitlines(True) if not line.startswith("5,")))
    reader = Mug(str(tmp_path / place))
    if not place:  # from too far above they are found too
        assert reader.sidecar_folder("landmarks") == tmp_path / "mug/landmarks"
    first, second = reader.index().records
    np.testing.assert_array_equal(points_of(first, "landmarks"), points[[0, 1, 3]])
    assert second.metadata == {}
    assert reader.sidecar_folder("truth") == tmp_path / place / "truth"


def test_what_is_left_out_is_said(tmp_path):
    people = tmp_path / "subjects3"
    for take in ("take000", "take001nsg", "take002end"):
        write_take(people / "001/anger" / take)
    write_take(people / "001/joy/take000")
    write_take(people / "model/anger/take000")
    (people / "001/fear/take000").mkdir(parents=True)
    write_take(people / "001/001/anger/take000")
    write_take(tmp_path / "truth/001/anger/take000")
    index = Mug(str(tmp_path)).index()
    assert names(index) == ["001/anger/take000"]
    reasons = dict(index.skipped)
    assert "marked_takes=True" in reasons.pop("subjects3/001/anger/take001nsg")
    assert "marked_takes=True" in reasons.pop("subjects3/001/anger/take002end")
    assert "joy is none of the expressions anger, disgust" in reasons.pop("subjects3/001/joy/take000")
    assert "model, is not a person's number" in reasons.pop("subjects3/model/anger/take000")
    assert reasons.pop("subjects3/001/fear/take000") == "no images in it"
    ((what, why),) = reasons.items()
    assert "second copy of 001/anger/take000" in why and what.startswith("subjects3/001/")
    marked = Mug(str(tmp_path), marked_takes=True).index()
    assert names(marked) == ["001/anger/take000", "001/anger/take001nsg", "001/anger/take002end"]


def test_missing_data_say_what_to_do(tmp_path):
    write_take(tmp_path / "subjects3/001/joy/take000")
    with pytest.raises(DataError) as error:
        Mug(str(tmp_path)).index()
    for part in (
        "<person>/<expression>/take<number>",
        "found there: subjects3/",
        "Skipped subjects3/001/joy/take000",
        "Aristotle University of Thessaloniki",
        f"python tools/synthesize_data.py mug --out {tmp_path}",
    ):
        assert part in str(error.value)
    with pytest.raises(DataError, match="no such folder"):
        Mug(str(tmp_path / "absent")).index()


def test_splits():
    assert len(set(MUG_PEOPLE)) == 52
    train, test = SPLITS["mug/train"], SPLITS["mug/test"]
    assert (len(train), len(test)) == (42, 10) and set(train) | set(test) == set(MUG_PEOPLE)
    groups = [SPLITS[f"mug/frgan_{name}"] for name in ("forecast", "refine", "test")]
    assert [len(group) for group in groups] == [19, 19, 12]
    together = [person for group in groups for person in group]
    assert sorted(together) == sorted(set(MUG_PEOPLE) - {"002", "049"})
