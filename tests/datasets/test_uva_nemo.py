"""UvA-NEMO's raw layout: names, the owners' table, and nothing decoded."""

import numpy as np
import pytest

from i2vkit.datasets import SPLITS, UvaNemo
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_video

CLIPS = ("001_deliberate_smile_1", "001_spontaneous_smile_1", "001_spontaneous_smile_2", "010_deliberate_smile_1")


@pytest.fixture
def root(tmp_path):
    """Four videos of 5, 6, 7 and 8 frames."""
    for number, name in enumerate(CLIPS):
        frames = np.full((5 + number, 16, 16, 3), 40 * number, np.uint8)
        write_video(tmp_path / f"raw/UvA-NEMO_SMILE_DATABASE/videos/{name}.mp4", frames, fps=50)
    return tmp_path / "raw"


def names(index):
    return [record.name for record in index.records]


def test_names_say_who_and_what(root):
    index = UvaNemo(str(root)).index()
    assert names(index) == [
        "001/deliberate/smile_1",
        "001/spontaneous/smile_1",
        "001/spontaneous/smile_2",
        "010/deliberate/smile_1",
    ]
    assert index.labels == ["deliberate", "spontaneous"] and index.skipped == []
    assert [record.num_frames for record in index.records] == [5, 6, 7, 8]
    last = index.records[3]
    assert (last.person, last.label, last.fps, last.metadata) == ("010", "deliberate", 50.0, {})
    np.testing.assert_allclose(last.frames.read([7])[0].mean(), 120, atol=2)  # H.264


def test_one_kind_only(root):
    (root / "UvA-NEMO_SMILE_DATABASE/videos/001_deliberate_smile_1.mp4").write_bytes(b"not looked at")
    index = UvaNemo(str(root), kind="spontaneous").index()
    assert names(index) == ["001/spontaneous/smile_1", "001/spontaneous/smile_2"]
    assert index.labels == ["spontaneous"] and index.skipped == []
    with pytest.raises(ConfigError, match=r"UvaNemo\.kind is 'posed', but takes 'deliberate' or 'spontaneous' or None"):
        UvaNemo(str(root), kind="posed")


def test_damaged_videos_and_other_names_are_skipped(root):
    videos = root / "UvA-NEMO_SMILE_DATABASE/videos"
    whole = (videos / "010_deliberate_smile_1.mp4").read_bytes()
    (videos / "010_deliberate_smile_1.mp4").write_bytes(whole[: len(whole) // 3])
    (videos / "trailer.mp4").write_bytes(whole)
    (root / "copy").mkdir()
    (root / "copy/001_deliberate_smile_1.mp4").write_bytes(whole)
    (root / "truth").mkdir()
    (root / "truth/002_deliberate_smile_1.mp4").write_bytes(whole)
    index = UvaNemo(str(root)).index()
    assert len(index.records) == 3
    reasons = {what.split("/")[-1]: why for what, why in index.skipped}
    assert "cannot be read" in reasons.pop("010_deliberate_smile_1.mp4")
    assert "<person>_<deliberate|spontaneous>_smile_<number>" in reasons.pop("trailer.mp4")
    assert "second copy of 001/deliberate/smile_1" in reasons.pop("001_deliberate_smile_1.mp4")
    assert reasons == {}


def test_the_owners_table_tells_what_is_missing(root):
    table = root / "UvA-NEMO_SMILE_DATABASE/UvA-NEMO_Smile_Database_File_Details.txt"
    header = ["UvA-NEMO", "099_deliberate_smile_1.mp4\tin the header", "", "", ""]
    rows = [f"{name}.mp4\t{name[:3]}\t33\t{name.split('_')[1]}" for name in (*CLIPS, "011_spontaneous_smile_1")]
    table.write_text("\n".join([*header, *rows]) + "\n", encoding="latin-1")
    missing = [("011_spontaneous_smile_1.mp4", "listed in the file of details, but not there")]
    assert UvaNemo(str(root)).index().skipped == missing
    assert UvaNemo(str(root / "UvA-NEMO_SMILE_DATABASE/videos")).index().skipped == missing
    assert UvaNemo(str(root), kind="deliberate").index().skipped == []


@pytest.mark.parametrize("place", ["", "UvA-NEMO_SMILE_DATABASE", "UvA-NEMO_SMILE_DATABASE/videos"])
def test_landmarks_are_found_from_any_level(root, place):
    table = root / "landmarks/001_spontaneous_smile_2.csv"
    table.parent.mkdir()
    table.write_text("frame,x0,y0\n")
    reader = UvaNemo(str(root / place))
    assert [record.metadata for record in reader.index().records] == [{}, {}, {"landmarks": table}, {}]
    assert reader.sidecar_folder("landmarks") == root / "landmarks"


def test_missing_data_say_what_to_do(tmp_path):
    (tmp_path / "trailer.mp4").write_bytes(b"")
    with pytest.raises(DataError) as error:
        UvaNemo(str(tmp_path)).index()
    for part in (
        "<person>_deliberate|spontaneous_smile_<number>.mp4",
        "found there: trailer.mp4",
        "Skipped trailer.mp4: its name",
        "University of Amsterdam",
        f"python tools/synthesize_data.py uva_nemo --out {tmp_path}",
    ):
        assert part in str(error.value)


def test_splits():
    train, test = set(SPLITS["uva_nemo/train"]), set(SPLITS["uva_nemo/test"])
    assert (len(train), len(test), len(train | test)) == (320, 80, 400)
    train, test = set(SPLITS["uva_nemo/mtgan_train"]), set(SPLITS["uva_nemo/mtgan_test"])
    assert (len(train), len(test), len(train | test)) == (360, 40, 400)
