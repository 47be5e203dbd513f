"""NATOPS: every repeat is exactly the frames that its table says, and whatever does not fit is named."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.datasets import SPLITS, Natops
from i2vkit.datasets.readers.natops import GESTURES, LABELS
from i2vkit.errors import DataError
from i2vkit.media import write_video

from .conftest import write_clip

CONFIG = Path(__file__).resolve().parents[2] / "configs/_base_/datasets/natops.py"


def film(path, length=40):
    """Write a video of which frame n, counted from 1, has the value 6 n."""
    write_video(path, (np.full((16, 24, 3), 6 * number, np.uint8) for number in range(1, length + 1)), fps=20)


def numbers(frames) -> list[int]:
    """What number the frames carry, in spite of Motion JPEG."""
    return [round(float(frame.mean()) / 6) for frame in frames]


def table(sections: dict[tuple[int, int], str]) -> str:
    """Write sections by (subject, gesture), under a comment for each subject."""
    lines, last = [], None
    for (subject, gesture), repeats in sections.items():
        lines += [f"// Subject {subject}"] * (subject != last) + [f"{subject},{gesture},2", *repeats.split()]
        last = subject
    return "\n".join(lines) + "\n"


@pytest.fixture
def raw(tmp_path):
    """Two subjects, gestures 3 and 12, two repeats of each."""
    root = tmp_path / "natops/data"
    for gesture in (3, 12):
        for subject in (1, 2):
            film(root / f"gesture{gesture:02d}/g{gesture:02d}s{subject:02d}.avi")
    write_video(root / "gesture03/g03s01m.avi", [np.zeros((16, 24, 3), np.uint8)])
    write_video(root / "gesture03/g03S02d.avi", [np.zeros((16, 24, 3), np.uint8)])
    sections = {(s, g): f"1:{s + g},{s + g + 4}\n2:30,40" for s in (1, 2) for g in (3, 12)}
    (root / "segmentation.txt").write_text(table(sections))
    return root


def test_a_repeat_is_its_first_to_its_last_frame_counted_from_one(raw):
    index = Natops(raw, repeats=2).index()
    assert [record.name for record in index.records[:4]] == [
        "s01/gesture03/g03s01r01",
        "s01/gesture03/g03s01r02",
        "s02/gesture03/g03s02r01",
        "s02/gesture03/g03s02r02",
    ]
    assert len(index.records) == 8 and index.skipped == []
    record = index.records[2]
    assert (record.person, record.label, record.num_frames, record.fps) == ("s02", "gesture03", 5, 20.0)
    assert numbers(record.frames) == [5, 6, 7, 8, 9]
    assert numbers(record.frames.read([4, 0])) == [9, 5]
    assert numbers(index.records[7].frames) == list(range(30, 41))  # up to the last frame of the video


def test_labels_and_people():
    assert len(LABELS) == 24 and GESTURES["gesture01"] == "I have command" and GESTURES["gesture24"] == "cut engine"
    assert len(set(GESTURES.values())) == 24
    assert len(SPLITS["natops/train"]) == 15 and len(SPLITS["natops/test"]) == 5
    assert sorted(SPLITS["natops/train"] + SPLITS["natops/test"]) == [f"s{n:02d}" for n in range(1, 21)]


@pytest.mark.parametrize("comments", [True, False])
def test_which_number_of_a_header_is_the_gesture_follows_from_the_files(raw, comments):
    """Gesture 3 and 12 of subject 1 and 2: written the other way round the result is the same."""
    path = raw / "segmentation.txt"
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.count(",") == 2:
            subject, gesture, third = line.split(",")
            lines[number] = f" {gesture}, {subject},{third}\t"
    kept = [line for line in lines if comments or not line.startswith("//")]
    expected = [(r.name, r.frames) for r in Natops(raw, repeats=2).index().records]
    path.write_text("\ufeff" + "\r\n".join(kept) + "\r\n\r\n")
    assert [(r.name, r.frames) for r in Natops(raw, repeats=2).index().records] == expected


@pytest.mark.parametrize("level", ["", "..", "../.."])
def test_any_folder_above_the_videos_will_do(raw, level):
    assert len(Natops(raw / level, repeats=2).index().records) == 8


def test_flat_videos_are_found_and_copies_are_named(raw):
    for path in raw.glob("gesture*/g*s0[12].avi"):
        path.rename(raw / path.name)
    film(raw / "gesture03/g03s01.avi")
    index = Natops(raw, repeats=2).index()
    assert len(index.records) == 8 and index.records[0].frames.path == raw / "g03s01.avi"
    assert index.skipped == [("gesture03/g03s01.avi", f"a copy of {raw / 'g03s01.avi'}")]


def test_what_does_not_fit_is_skipped_with_its_reason(raw):
    film(raw / "gesture12/g12s01.avi", length=38)
    (raw / "gesture12/g12s02.avi").write_bytes(b"no video")
    film(raw / "gesture25/g25s01.avi")
    text = (raw / "segmentation.txt").read_text().replace("1:5,9\n", "")
    (raw / "segmentation.txt").write_text(text)
    film(raw / "gesture04/g04s01.avi")
    index = Natops(raw, repeats=2).index()
    assert [record.name for record in index.records] == ["s01/gesture03/g03s01r01", "s01/gesture03/g03s01r02"]
    skipped = dict(index.skipped)
    assert "puts repeat 2 at frames 30 to 40, but the video has 38" in skipped["gesture12/g12s01.avi"]
    assert "cannot be read" in skipped["gesture12/g12s02.avi"]
    assert "gives 1 repeats, not 2; if that is right, say repeats=1" in skipped["gesture03/g03s02.avi"]
    assert "no entry for gesture 4 of subject 1" in skipped["gesture04/g04s01.avi"]
    assert skipped["gesture25/g25s01.avi"] == "there are gestures 1 to 24"
    assert len(Natops(raw, repeats=None).index().records) == 3


def test_twenty_repeats_are_expected(raw):
    with pytest.raises(DataError, match=r"none of the 4 videos .* gives 2 repeats, not 20"):
        Natops(raw).index()


def test_a_section_given_twice_is_no_use(raw):
    with (raw / "segmentation.txt").open("a") as file:
        file.write("2,12,2\n1:1,2\n2:4,5\n")
    index = Natops(raw, repeats=2).index()
    assert len(index.records) == 6
    assert index.skipped == [("gesture12/g12s02.avi", "segmentation.txt gives 2 of its repeats twice")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,3,2\n1;5,9\n", r"segmentation\.txt, line 2: '1;5,9' is neither a header a,b,c nor repeat:first,last"),
        ("1:5,9\n", "line 1: '1:5,9' is neither"),
        ("1,3,2\n1:9,5\n", "line 2: repeat 1 from frame 9 to 5: frames are counted from 1"),
        ("1,3,2\n1:0,5\n", "repeat 1 from frame 0 to 5: frames are counted from 1"),
        ("7,8,2\n1:1,5\n", "has 1 sections, but none for one of the 4 videos"),
    ],
)
def test_a_table_that_makes_no_sense(raw, text, message):
    (raw / "segmentation.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        Natops(raw, repeats=2).index()


def test_without_the_table_the_message_says_where_it_lies(raw):
    with pytest.raises(DataError, match=r"no segmentation\.txt .* give the folder above: .*natops/data$"):
        Natops(raw / "gesture03").index()
    (raw / "segmentation.txt").unlink()
    with pytest.raises(DataError, match=r"(?s)4 videos, but no segmentation\.txt .*g03s01\.avi.*beside the folders"):
        Natops(raw.parent).index()


def test_missing_data_say_what_to_do(tmp_path):
    with pytest.raises(DataError) as error:
        Natops(tmp_path / "natops").index()
    message = str(error.value)
    for part in ("gesture01/g01s01.avi", "there is no such folder", "github.com/yalesong/natops", "segmentation.txt"):
        assert part in message
    assert f"python tools/synthesize_data.py natops --out {tmp_path / 'natops'}" in message
    (tmp_path / "natops").mkdir()
    with pytest.raises(DataError, match="the folder is empty"):
        Natops(tmp_path / "natops").index()
    (tmp_path / "natops/gesture01.zip").touch()
    with pytest.raises(DataError, match=r"gesture01\.zip"):
        Natops(tmp_path / "natops").index()


def test_a_video_that_is_shorter_than_its_header_says_is_left_out_by_its_name(raw):
    path = raw / "gesture03/g03s01.avi"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    index = Natops(raw, repeats=2).index()
    (reason,) = [why for what, why in index.skipped if what.endswith("g03s01.avi")]
    assert "g03s01.avi is cut: it ends after" in reason
    assert not [record for record in index.records if record.label == "gesture03" and record.person == "s01"]


def test_the_config_takes_windows_of_32_frames_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for person, label, length in (("s03", "gesture12", 40), ("s03", "gesture13", 31), ("s18", "gesture24", 35)):
        clip = f"g{label[-2:]}{person}r01"
        write_clip(tmp_path / "data/natops_64" / person / label / clip, length, 0, (64, 64))
    config = Config.fromfile(CONFIG)
    assert "RandomFlip" not in config.pretty_text
    for name, label in (("train_dataloader", 11), ("val_dataloader", 23)):
        config[name].update(num_workers=0, persistent_workers=False, batch_size=1)
        loader = Runner.build_dataloader(config[name], seed=0)
        batch = next(iter(loader))["inputs"]
        assert (len(loader.dataset), loader.dataset.labels) == (1, list(LABELS))
        assert (batch["driving"][0].shape, batch["label"][0].item()) == ((3, 32, 64, 64), label)


def test_the_config_without_data_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as error:
        Runner.build_dataloader(Config.fromfile(CONFIG).train_dataloader, seed=0)
    message = str(error.value)
    assert "python tools/synthesize_data.py natops --out data/natops\n" in message
    assert "prepare_data.py natops --source data/natops --out data/natops_64 --size 64" in message
    assert "github.com/yalesong/natops" in message


def test_a_dumped_config_says_the_same(tmp_path):
    config = Config.fromfile(CONFIG)
    config.dump(tmp_path / "natops.py")
    assert Config.fromfile(tmp_path / "natops.py").train_dataloader.dataset.reader.labels == list(LABELS)
