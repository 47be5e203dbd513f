"""Penn Action as handed out: what labels mean, what is left out and why, FRGAN's thirds; tubes around people."""

import csv
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2vkit.datasets import SPLITS, ClipDataset, ClipFolder, FrameStrips, PennAction, people_of
from i2vkit.datasets.formats.matlab import read_mat, write_mat
from i2vkit.datasets.point_files import read_points
from i2vkit.datasets.readers.penn_action import LABELS, read_labels, two_stage_split
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import write_image
from i2vkit.preparation import prepare_penn_action
from i2vkit.preparation.box_tubes import box_tube, square_map

CONFIGS = Path(__file__).resolve().parents[2] / "configs/_base_/datasets"


def write_labels(path, action="golf_swing", length=6, **changes):
    """Joint j of frame t is at MATLAB's pixel (10 + j + t, 20 + j), the box around pixels 5 to 30 and 15 to 40."""
    time, joint = np.mgrid[0:length, 0:13].astype(float)
    fields = dict(
        action=action,
        pose="left",
        x=10 + joint + time,
        y=20 + joint,
        visibility=np.ones((length, 13)),
        train=1,
        bbox=np.tile([5.0, 15.0, 30.0, 40.0], (length, 1)),
        dimensions=np.array([48, 64, length]),
        nframes=length,
    )
    write_mat(path, fields | changes)


def write_clip(root, number, action="golf_swing", images=6, **changes):
    for frame in range(1, images + 1):
        picture = np.full((48, 64, 3), 100, np.uint8)
        picture[18:22, 8 + frame : 12 + frame] = 255
        write_image(root / f"frames/{number:04d}/{frame:06d}.jpg", picture)
    write_labels(root / f"labels/{number:04d}.mat", action, **changes)


@pytest.fixture
def warnings_logged(monkeypatch):
    """Text of the warnings that went to the log."""
    messages = []
    monkeypatch.setattr(
        "i2vkit.datasets.readers.penn_action.print_log",
        lambda message, logger, level=logging.INFO: messages.append(message) if level == logging.WARNING else None,
    )
    return messages


@pytest.mark.parametrize("wrapper", ["", "Penn_Action", "download/Penn_Action"])
def test_clips_are_found_below_any_wrapper(tmp_path, wrapper):
    write_clip(tmp_path / wrapper, 7, "jump_rope")
    write_clip(tmp_path / wrapper, 12, "golf_swing", train=-1)
    index = PennAction(str(tmp_path)).index()
    assert [r.name for r in index.records] == ["0007/jump_rope/0007", "0012/golf_swing/0012"]
    first = index.records[0]
    assert (first.person, first.label, first.num_frames) == ("0007", "jump_rope", 6)
    assert index.labels == list(LABELS) and not index.skipped
    assert [r.metadata["split"] for r in index.records] == ["train", "test"]
    assert first.frames.read([0]).shape == (1, 48, 64, 3)


def test_pixels_are_counted_from_zero_here(tmp_path):
    """MATLAB's pixel 1 is our 0: its centre for joints, its outer edges for a box."""
    write_labels(tmp_path / "0001.mat", bbox=np.array([[1.0, 1.0, 64.0, 48.0]] * 6))
    labels = read_labels(tmp_path / "0001.mat")
    assert labels.joints[2, 5].tolist() == [10 + 5 + 2 - 1, 20 + 5 - 1]
    assert labels.boxes[0].tolist() == [0, 0, 64, 48]
    write_clip(tmp_path, 1)  # the drawn square covers pixels 9 to 12 and 18 to 21 on the first frame
    frame = PennAction(str(tmp_path)).index().records[0].frames.read([0])[0, :, :, 0]
    rows, columns = np.nonzero(frame > 200)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (9, 12, 18, 21)


def test_joints_out_of_the_picture_are_unknown_and_hidden_ones_are_kept(tmp_path):
    time, joint = np.mgrid[0:3, 0:13].astype(float)
    x, y, visible = 10 + joint + time, 20 + joint, np.ones((3, 13))
    x[1, 4], y[1, 4], visible[1, 4] = 0.75, 0.75, 0  # Penn's place for what is out of the picture
    visible[2, 6] = 0  # hidden, but labelled
    write_labels(tmp_path / "1.mat", length=3, x=x, y=y, visibility=visible)
    joints = read_labels(tmp_path / "1.mat").joints
    assert np.isnan(joints[1, 4]).all() and np.isnan(joints).sum() == 2
    assert joints[2, 6].tolist() == [10 + 6 + 2 - 1, 25]


def test_clips_are_trimmed_to_their_boxes_with_one_warning(tmp_path, warnings_logged):
    write_clip(tmp_path, 1)
    write_clip(tmp_path, 2, bbox=np.tile([5.0, 15.0, 30.0, 40.0], (5, 1)))
    write_clip(tmp_path, 3, bbox=np.tile([5.0, 15.0, 30.0, 40.0], (4, 1)))
    write_clip(tmp_path, 4, images=3)
    records = PennAction(str(tmp_path)).index().records
    assert [r.num_frames for r in records] == [6, 5, 4, 3]
    for record in records:
        assert (
            len(record.metadata["joints"])
            == len(record.metadata["boxes"])
            == len(record.frames.paths)
            == record.num_frames
        )
    assert len(warnings_logged) == 2
    assert "2 clips, 0002 for one, have fewer boxes than frames" in warnings_logged[0]
    assert "1 clips, 0004 for one, have fewer images than labels" in warnings_logged[1]


def test_other_actions_and_broken_clips_are_skipped_with_the_reason(tmp_path):
    write_clip(tmp_path, 1)
    for number in (2, 3):
        write_clip(tmp_path, number, "bench_press")
    write_clip(tmp_path, 4)
    (tmp_path / "frames/0004/000003.jpg").unlink()
    write_labels(tmp_path / "labels/0005.mat")
    (tmp_path / "labels/0006.mat").write_bytes(b"half a file")
    newer = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" + bytes(600)
    (tmp_path / "labels/0007.mat").write_bytes(newer)
    write_mat(tmp_path / "labels/0008.mat", dict(action="golf_swing", x=np.ones((3, 13))))
    write_labels(tmp_path / "labels/0009.mat", y=np.ones((4, 12)))
    index = PennAction(str(tmp_path)).index()
    assert [record.person for record in index.records] == ["0001"]
    why = dict(index.skipped)
    assert sorted(why) == ["0004", "0005", "0006", "0007", "0008", "0009", "bench_press"]
    assert why["bench_press"] == "2 clips of an action that is not asked for"
    assert "has no image 000003" in why["0004"] and f"no images in {tmp_path / 'frames/0005'}" in why["0005"]
    assert "0006.mat cannot be read as a MATLAB file" in why["0006"]
    assert "version 7.3" in why["0007"] and "-v7" in why["0007"]
    assert "has no field train, y, visibility, bbox" in why["0008"] and "none of Penn Action's" in why["0009"]
    assert [r.label for r in PennAction(str(tmp_path), ["bench_press"]).index().records] == ["bench_press"] * 2


def test_one_frame_is_a_clip(tmp_path):
    write_clip(tmp_path, 1, images=1, length=1)
    assert PennAction(str(tmp_path)).index().records[0].metadata["joints"].shape == (1, 13, 2)


def test_missing_data_say_what_to_do(tmp_path):
    with pytest.raises(DataError) as error:
        PennAction(str(tmp_path / "penn")).index()
    for part in (
        "frames/0001/000001.jpg and labels/0001.mat",
        "no such folder",
        "dreamdragon.github.io/PennAction",
        f"python tools/synthesize_data.py penn_action --out {tmp_path / 'penn'}",
    ):
        assert part in str(error.value)
    (tmp_path / "Penn_Action.tar.gz").touch()
    with pytest.raises(DataError, match=r"Penn_Action\.tar\.gz.* unpack it"):
        PennAction(str(tmp_path)).index()
    write_clip(tmp_path, 1)
    for inside in ("frames", "frames/0001"):
        with pytest.raises(DataError, match=f"Give the folder above the two: {tmp_path}\n"):
            PennAction(str(tmp_path / inside)).index()
    (tmp_path / "labels/0001.mat").write_bytes(b"")
    with pytest.raises(DataError, match=r"Skipped 0001: .*0001\.mat cannot be read"):
        PennAction(str(tmp_path)).index()


def test_a_two_stage_split_is_thirds_of_every_action_in_runs_of_numbers():
    actions = {f"{n:04d}": LABELS[n % 3] for n in range(1, 31)}
    sets = two_stage_split(actions)
    assert Counter((actions[n], part) for n, part in sets.items())["baseball_pitch", "test"] == 3
    for action in LABELS[:3]:
        own = [sets[n] for n in sorted(actions) if actions[n] == action]
        assert own == ["forecast"] * 4 + ["refine"] * 3 + ["test"] * 3
    assert sets == two_stage_split(dict(reversed(actions.items())))


def test_a_split_that_the_clips_tell(tmp_path):
    for number in range(1, 7):
        write_clip(tmp_path, number, train=1 if number < 3 else -1)
    index = PennAction(str(tmp_path)).index()
    assert people_of("penn_action/train", index) == ["0001", "0002"]
    assert [people_of(f"penn_action/frgan_{part}", index) for part in ("forecast", "refine", "test")] == [
        ["0001", "0002"],
        ["0003", "0004"],
        ["0005", "0006"],
    ]
    dataset = ClipDataset(dict(type="PennAction", root=str(tmp_path)), {}, exclude_people="penn_action/train")
    assert [record.person for record in dataset.records] == ["0003", "0004", "0005", "0006"]
    with pytest.raises(ConfigError, match="as its people"):
        people_of("penn_action/test")


# Preparation


def test_a_square_follows_its_person_and_always_holds_the_box():
    rng = np.random.default_rng(0)
    centre = 100 + np.cumsum(rng.normal(0, 6, (80, 2)), axis=0)
    half = rng.uniform(10, 40, (80, 2))
    boxes = np.hstack([centre - half, centre + half])
    for reach in (0, 1, 7, 15):
        centres, sides = box_tube(boxes, margin=0.0, reach=reach)
        assert (boxes[:, :2] >= centres - sides[:, None] / 2 - 1e-9).all()
        assert (boxes[:, 2:] <= centres + sides[:, None] / 2 + 1e-9).all()
    jerks = [np.abs(np.diff(box_tube(boxes, 0.0, reach)[0], n=2, axis=0)).mean() for reach in (0, 3, 15)]
    assert jerks[1] < jerks[0] / 4 and jerks[2] < jerks[1] / 4


def test_a_box_that_opens_and_closes_does_not_change_the_scale():
    height = 100 + 30 * np.sin(np.arange(60) / 20 * 2 * np.pi)  # three jumping jacks
    boxes = np.stack([np.full(60, 20.0), -height / 2, np.full(60, 60.0), height / 2], axis=1)
    sides = box_tube(boxes, margin=0.1, reach=15)[1]
    np.testing.assert_allclose(sides[10:-10], 1.1 * 130, rtol=0.01)


def test_the_corners_of_the_square_come_to_the_corners_of_the_picture():
    transform = square_map(np.array([50.0, 30.0]), 40.0, 64)
    corners = np.array([[30.0, 10.0], [70.0, 50.0]]) - 0.5  # edges of pixels, as points
    np.testing.assert_allclose(corners @ transform[:, :2].T + transform[:, 2], [[-0.5, -0.5], [63.5, 63.5]])


def test_prepared(tmp_path):
    raw, out = tmp_path / "raw", tmp_path / "out"
    for number in range(1, 4):
        write_clip(raw, number, train=-1 if number == 3 else 1)
    empty = np.tile([5.0, 15.0, 30.0, 40.0], (7, 1))
    empty[1:] = 0
    write_clip(raw, 4, images=7, length=7, bbox=empty)
    report = prepare_penn_action(raw, out, size=32, workers=1, margin=0.0)
    assert (
        "3 clips of 3 people, 18 frames" in report and "0004/golf_swing/0004: 6 frames in a row have no box" in report
    )
    index = ClipFolder(str(out)).index()
    assert [record.name for record in index.records] == [f"000{n}/golf_swing/000{n}" for n in (1, 2, 3)]
    assert [record.metadata["frgan"] for record in index.records] == ["forecast", "forecast", "refine"]
    assert people_of("penn_action/test", index) == ["0003"]
    # The box is 26 pixels wide and high from the edges 4 and 14 on, and comes to 32.
    joints = read_points(index.records[0].metadata["joints"], range(6))
    expected = (np.array([10 + 3 + 2 - 1, 20 + 3 - 1]) + 0.5 - [4, 14]) * 32 / 26 - 0.5
    np.testing.assert_allclose(joints[2, 3], expected, atol=1e-3)
    frame = index.records[0].frames.read([0])[0, :, :, 0].astype(float)
    rows, columns = np.mgrid[0:32, 0:32]
    bright = np.clip(frame - 130, 0, None)
    centre = [(columns * bright).sum() / bright.sum(), (rows * bright).sum() / bright.sum()]
    np.testing.assert_allclose(centre, (np.array([11.0, 20.0]) - [4, 14]) * 32 / 26 - 0.5, atol=0.15)
    with (out / "skipped.csv").open() as file:
        assert [row["what"] for row in csv.DictReader(file)] == ["0004/golf_swing/0004"]


def test_negative_options_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="--margin and --reach"):
        prepare_penn_action(tmp_path, tmp_path / "out", margin=-1.0)


# Configs


def loader_of(name, split, root, **window):
    """The loader of a config, on other data."""
    config = Config.fromfile(CONFIGS / f"{name}.py")[f"{split}_dataloader"]
    config.update(num_workers=0, persistent_workers=False, batch_size=2)
    config.dataset.reader.root = str(root)
    if "truth" in config.dataset:
        config.dataset.truth.root = str(root / "truth")
    config.dataset.window.update(window)
    return config


def test_the_config_takes_a_third_each_and_leaves_short_clips_out(tmp_path):
    for number in range(1, 7):
        write_clip(tmp_path / "raw", number, images=4 + number, length=4 + number)
    prepare_penn_action(tmp_path / "raw", tmp_path / "out", workers=1)
    people = {}
    for split in ("train", "val", "test"):
        config = loader_of("penn_action", split, tmp_path / "out", length=6)
        config.dataset.min_frames = 6
        loader = Runner.build_dataloader(config, seed=0)
        people[split] = [record.person for record in loader.dataset.records]
        inputs = next(iter(loader))["inputs"]
        assert {tuple(driving.shape) for driving in inputs["driving"]} == {(3, 6, 64, 64)}
        assert {tuple(joints.shape) for joints in inputs["joints"]} == {(6, 13, 2)}
    assert people == {"train": ["0002"], "val": ["0003", "0004"], "test": ["0005", "0006"]}
    config = loader_of("penn_action", "train", tmp_path / "out")
    with pytest.raises(DataError, match="no clip has min_frames=32 frames; the longest has 6"):
        Runner.build_dataloader(config, seed=0)
    config = loader_of("penn_action", "train", tmp_path / "absent")
    with pytest.raises(DataError, match=r"(?s)dreamdragon.*prepare_data\.py penn_action --source data/penn_action"):
        Runner.build_dataloader(config, seed=0)


def test_no_strip_is_in_two_splits_and_every_action_is_in_all():
    splits = [SPLITS[f"penn_strips/{split}"] for split in ("train", "val", "test")]
    assert [len(split) for split in splits] == [29, 12, 17]
    assert len({clip for split in splits for clip in split}) == 58
    for split in splits:
        assert len({clip.split("/")[0] for clip in split}) == 6
    # Every third clip of each action tests, the numbers in order.
    numbers = sorted(int(clip.split("/")[1]) for split in splits for clip in split if clip.startswith("clean"))
    assert [f"clean_and_jerk/{number}" for number in numbers[2::3]] == [c for c in splits[2] if c.startswith("clean")]


def test_real_strips_load(shared_data):
    root = shared_data / "penn_examples"
    known = {record.person for record in FrameStrips(str(root)).index().records}
    loaded = set()
    for split, number in (("train", 29), ("val", 12)):
        config = loader_of("penn_strips", split, root)
        loader = Runner.build_dataloader(config, seed=0)
        assert len(loader.dataset) == number and not loader.dataset.index.skipped
        assert next(iter(loader))["inputs"]["driving"][0].shape == (3, 16, 64, 64)
        loaded |= {record.person for record in loader.dataset.records}
    assert loaded == known - set(SPLITS["penn_strips/test"])


# MATLAB's files


def test_the_same_variables_give_the_same_bytes(tmp_path, monkeypatch):
    variables = dict(text="ab", number=3, table=np.arange(6.0).reshape(2, 3), part=dict(inner=np.eye(2)))
    write_mat(tmp_path / "a.mat", variables)
    monkeypatch.setattr("time.asctime", lambda *_: "another time")
    write_mat(tmp_path / "b.mat", variables)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    read = read_mat(tmp_path / "a.mat")
    assert sorted(read) == ["number", "part", "table", "text"]
    assert (read["text"], read["number"]) == ("ab", 3)
    assert np.array_equal(read["table"], variables["table"]) and np.array_equal(read["part"]["inner"], np.eye(2))
    with pytest.raises(DataError, match=r"no file .*none\.mat"):
        read_mat(tmp_path / "none.mat")
