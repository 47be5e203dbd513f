"""The synthetic data set on the disk: Penn's layout, joints and boxes true, the same bytes every time, truth exact,
resumable.
"""

import numpy as np
import pytest

from i2vkit.datasets import ClipDataset, ClipFolder, PennAction, people_of
from i2vkit.datasets.clip_facts import FILE as FACTS
from i2vkit.datasets.formats.matlab import read_mat
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.penn_action import two_stage_split
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import read_image
from i2vkit.preparation import prepare_penn_action
from i2vkit.rendering import synthetic_penn_action as penn_action
from i2vkit.rendering.figures.figure_clips import FigureStudio, render_clip
from i2vkit.rendering.synthetic_penn_action import clips_of, penn_labels, synthesize_penn_action, transfers

# Clips 1 to 3 are golf, 4 to 6 jumping jacks, of people 1 to 3.
SMALL = dict(people=3, seed=4, workers=1, size=(64, 48), truth="0003:0001,0004:0004")
STUDIO = FigureStudio(4, "penn_action", (64, 48), 25.0)


@pytest.fixture(scope="module", autouse=True)
def two_actions():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(penn_action, "LABELS", ("golf_swing", "jumping_jacks"))
        yield


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    synthesize_penn_action(root, **SMALL)
    return root


def contents(root) -> dict[str, bytes]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != FACTS]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_it_is_read_as_the_real_layout(rendered):
    index = PennAction(str(rendered)).index()
    assert [record.name for record in index.records[2:4]] == ["0003/golf_swing/0003", "0004/jumping_jacks/0004"]
    assert len(index.records) == 6 and not index.skipped
    assert [record.metadata["split"] for record in index.records[:3]] == ["train", "train", "test"]
    assert people_of("penn_action/frgan_test", index) == ["0003", "0006"]
    assert (rendered / "frames/0001/000001.jpg").exists()


def test_labels_have_all_of_penns_fields(rendered):
    labels = read_mat(rendered / "labels/0004.mat")
    length = labels["nframes"]
    expected = "action, bbox, dimensions, nframes, pose, train, visibility, x, y"
    assert ", ".join(sorted(labels)) == expected
    assert (labels["action"], labels["train"]) == ("jumping_jacks", 1)
    assert labels["pose"] in ("front", "left", "right", "back")
    assert labels["dimensions"].tolist() == [48, 64, length]
    assert labels["x"].shape == labels["y"].shape == labels["visibility"].shape == (length, 13)
    # Of the first person's clips the last box is not there.
    assert labels["bbox"].shape == (length - 1, 4)
    assert read_mat(rendered / "labels/0005.mat")["bbox"].shape[0] == read_mat(rendered / "labels/0005.mat")["nframes"]


def test_joints_and_boxes_come_back_as_drawn(rendered):
    clip = clips_of(3)["0002"]
    frames = list(render_clip(STUDIO, clip))
    record = PennAction(str(rendered)).index().records[1]
    assert record.num_frames == len(frames)
    np.testing.assert_allclose(record.metadata["joints"], [frame.joints for frame in frames], atol=1e-9)
    for frame, box in zip(frames, record.metadata["boxes"], strict=True):
        rows, columns = np.nonzero(frame.mask)
        assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_joints_out_of_the_picture_are_unknown():
    joints = np.full((2, 13, 2), 20.0)
    joints[1, 3] = [64.0, 20.0]
    labels = penn_labels(clips_of(3)["0002"], joints, np.ones((2, 4)), (64, 48), True, 0.0)
    assert (labels["x"][1, 3], labels["y"][1, 3], labels["visibility"][1, 3]) == (0.75, 0.75, 0)
    assert labels["x"][0, 3] == 21 and labels["visibility"].sum() == 25


def test_same_bytes_with_two_workers_after_an_interruption(rendered, tmp_path):
    synthesize_penn_action(tmp_path, **SMALL | dict(workers=2, truth="none"))
    clip = tmp_path / "frames/0002"
    untouched = tmp_path / "frames/0001/000001.jpg"
    before = untouched.stat().st_mtime_ns
    clip.rename(clip.with_name(".0002.part"))
    synthesize_penn_action(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(rendered)
    assert untouched.stat().st_mtime_ns == before
    with pytest.raises(DataError, match=r"seed=4, not 5.*choose another --out"):
        synthesize_penn_action(tmp_path, **SMALL | dict(seed=5))


def test_the_truth_is_the_actor_with_the_motion_of_the_clip(rendered):
    by_name = {record.name: record for record in ClipFolder(str(rendered / "truth")).index().records}
    assert sorted(by_name) == ["0003/golf_swing/as_0001", "0004/jumping_jacks/as_0004"]
    truth = by_name["0003/golf_swing/as_0001"]
    assert (truth.person, truth.metadata["driving"]) == ("0003", "0001/golf_swing/0001")
    clips = clips_of(3)
    frames = list(render_clip(STUDIO, clips["0001"].done_by("0003", clips["0003"].number)))
    # The driving clip is read without its last frame, which has no box.
    assert truth.num_frames == len(frames) - 1 == PennAction(str(rendered)).index().records[0].num_frames
    for path, frame in zip(truth.frames.paths, frames[:-1], strict=True):
        np.testing.assert_array_equal(read_image(path), frame.image)
    np.testing.assert_allclose(points_of(truth, "joints"), [frame.joints for frame in frames[:-1]], atol=1e-3)


def test_prepared_clip_and_truth_are_framed_alike(rendered, tmp_path):
    prepare_penn_action(rendered, tmp_path, size=32, workers=1)
    data = ClipDataset(
        dict(type="ClipFolder", root=str(tmp_path)),
        dict(
            window=dict(type="WholeClip"),
            read=dict(type="ReadFrames"),
            points=dict(type="ReadPoints", required=["joints"]),
        ),
        people=["0001", "0003", "0004"],
        pair_sampler=dict(type="AllPairs"),
        truth=dict(type="ClipFolder", root=str(tmp_path / "truth")),
    )
    clips = {pair.name: data[number]["clips"] for number, pair in enumerate(data.pairs)}
    other = clips["0003/golf_swing/0003__0001/golf_swing/0001"]
    assert other["truth"].record.name == "0003/golf_swing/as_0001"
    assert other["truth"].frames.shape == other["driving"].frames.shape
    truth = next(r for r in ClipFolder(str(tmp_path / "truth")).index().records if r.person == "0004")
    own = next(r for r in data.records if r.person == "0004")
    np.testing.assert_allclose(points_of(truth, "joints"), points_of(own, "joints"), atol=2e-3)
    length = range(own.num_frames)
    assert np.abs(truth.frames.read(length).astype(int) - own.frames.read(length)).mean() < 3  # JPEG against PNG


def test_transfers_are_those_of_frgans_test_clips(monkeypatch):
    clips = clips_of(12)
    pairs = transfers(clips)
    assert [(actor, clip.person) for actor, clip in pairs[:4]] == [
        ("0009", "0009"),
        ("0009", "0010"),
        ("0010", "0009"),
        ("0010", "0010"),
    ]
    assert len(pairs) == 2 * 4 * 2 and all(clips[actor].label == clip.label for actor, clip in pairs)
    sets = two_stage_split({number: clip.label for number, clip in clips.items()})
    people = {part: {clips[n].number for n in clips if sets[n] == part} for part in ("forecast", "refine", "test")}
    assert people == {"forecast": {1, 2, 3, 4}, "refine": {5, 6, 7, 8}, "test": {9, 10, 11, 12}}


@pytest.mark.parametrize("truth", ["0001", "0001:0099", "x:0001"])
def test_a_truth_that_makes_no_sense(truth, tmp_path):
    with pytest.raises(ConfigError, match="expected 'transfer', 'none' or pairs"):
        synthesize_penn_action(tmp_path, people=2, truth=truth)
    with pytest.raises(ConfigError, match="people must be at least 1"):
        synthesize_penn_action(tmp_path, people=0)
