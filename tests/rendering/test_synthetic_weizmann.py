"""The synthetic Weizmann's own videos: the real layout, the same bytes every time, the ground truth exact,
resumable.
"""

import json

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, Weizmann
from i2vkit.datasets.formats.matlab import read_mat
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.weizmann import PEOPLE
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.person_crops import silhouette_boxes
from i2vkit.preparation.prepared_weizmann import prepare_weizmann
from i2vkit.rendering import synthetic_weizmann as weizmann
from i2vkit.rendering.figures.figure_clips import FigureStudio, clip_motion, render_clip
from i2vkit.rendering.synthetic_weizmann import align, clips_of, synthesize_weizmann

from .test_synthetic_oulu_casia import contents

SMALL = dict(people=2, seed=5, workers=1, size=(60, 48), truth="lyova:daria_run,daria:daria_run")
STUDIO = FigureStudio(5, "weizmann", (60, 48), 25.0)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """daria and lyova, running and going sideways."""
    root = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weizmann, "LABELS", ("run", "side"))
        synthesize_weizmann(root, **SMALL)
    return root


@pytest.fixture
def two_actions(monkeypatch):
    monkeypatch.setattr(weizmann, "LABELS", ("run", "side"))


def clip_named(alias: str):
    return next(clip for person in PEOPLE for clip in clips_of(person) if clip.alias == alias)


def test_it_is_read_as_the_real_layout(rendered, two_actions):
    index = Weizmann(rendered).index()
    names = ["daria/run/daria_run", "daria/side/daria_side", "lyova/run/lyova_run", "lyova/side/lyova_side"]
    assert [record.name for record in index.records] == names and index.skipped == []
    assert (rendered / "run/lyova_run.avi").exists()
    for record in index.records:
        clip = clip_named(record.name.rsplit("/", 1)[-1])
        true = list(render_clip(STUDIO, clip))
        assert (record.num_frames, record.fps) == (len(true), 25.0)
        frames = record.frames.read(range(record.num_frames)).astype(int)
        assert frames.shape[1:] == (48, 60, 3)
        assert np.abs(frames - [frame.image for frame in true]).mean() < 2.5  # Motion JPEG
        np.testing.assert_allclose(points_of(record, "joints"), [frame.joints for frame in true], atol=6e-4)


def test_silhouettes_are_those_of_the_clips(rendered, two_actions):
    variables = read_mat(rendered / "classification_masks.mat")
    assert set(variables) == {"original_masks", "aligned_masks"}
    assert set(variables["original_masks"]) == {"daria_side", "daria_run", "lyova_side", "lyova_run"}
    true = np.stack([frame.mask for frame in render_clip(STUDIO, clip_named("daria_run"))], axis=2)
    np.testing.assert_array_equal(variables["original_masks"]["daria_run"], true)
    np.testing.assert_array_equal(variables["aligned_masks"]["daria_run"], align(true))


def test_aligned_silhouettes_have_their_centre_in_the_middle():
    masks = np.zeros((20, 30, 3), np.uint8)
    masks[2:9, 3:6, 0] = masks[10:13, 20:29, 2] = 1
    aligned = align(masks)
    assert aligned.shape == (7, 9, 3)
    assert aligned[:, 3:6, 0].all() and aligned[2:5, :, 2].all() and aligned.sum(axis=(0, 1)).tolist() == [21, 0, 27]
    assert align(np.zeros((4, 4, 2))).sum() == 0


def test_same_bytes_with_two_workers(rendered, two_actions, tmp_path):
    synthesize_weizmann(tmp_path, **SMALL | dict(workers=2, truth="none"))
    raw = {name: content for name, content in contents(rendered).items() if not name.startswith("truth/")}
    assert contents(tmp_path) == raw


def test_truth_is_the_person_with_the_motion_of_the_clip(rendered, two_actions):
    records = ClipFolder(rendered / "truth").index().records
    assert [(r.name, r.person, r.metadata["driving"]) for r in records] == [
        ("daria/run/as_daria_run", "daria", "daria/run/daria_run"),
        ("lyova/run/as_daria_run", "lyova", "daria/run/daria_run"),
    ]
    clip = clip_named("daria_run")
    for record in records:
        true = list(render_clip(STUDIO, clip.done_by(record.person, PEOPLE.index(record.person) + 1)))
        np.testing.assert_array_equal(record.frames.read(range(record.num_frames)), [frame.image for frame in true])
        np.testing.assert_allclose(points_of(record, "joints"), [frame.joints for frame in true], atol=6e-4)
        boxes = silhouette_boxes(np.stack([frame.mask for frame in true]))
        np.testing.assert_array_equal(points_of(record, "boxes"), boxes)


def test_what_is_finished_is_not_rendered_again(rendered, two_actions, tmp_path):
    synthesize_weizmann(tmp_path, **SMALL)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    (tmp_path / "side/lyova_side.avi").unlink()
    (tmp_path / "joints/daria_run.csv").unlink()
    (tmp_path / "truth/lyova/run/as_daria_run").rename(tmp_path / "truth/lyova/run/.as_daria_run.part")
    synthesize_weizmann(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(rendered)
    anew = {path.relative_to(tmp_path).as_posix() for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert {"side/lyova_side.avi", "run/daria_run.avi", "joints/daria_run.csv"} <= anew
    assert not {"side/daria_side.avi", "run/lyova_run.avi", "classification_masks.mat"} & anew
    (tmp_path / "classification_masks.mat").unlink()
    synthesize_weizmann(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(rendered)


def test_prepared_clips_and_their_truth_are_cut_out_alike(rendered, tmp_path):
    report = prepare_weizmann(rendered, tmp_path / "out", size=32, workers=1)
    assert "4 clips of 2 people" in report and "2 clips of 2 people" in report
    clip = next(r for r in ClipFolder(tmp_path / "out").index().records if r.name == "daria/run/daria_run")
    truth = {record.person: record for record in ClipFolder(tmp_path / "out/truth").index().records}
    assert truth["lyova"].metadata["driving"] == clip.name
    frames = clip.frames.read(range(clip.num_frames)).astype(int)
    assert frames.shape == (truth["daria"].num_frames, 32, 32, 3)
    own = truth["daria"].frames.read(range(clip.num_frames))
    other = truth["lyova"].frames.read(range(clip.num_frames))
    assert np.abs(frames - own).mean() < 2.5 < np.abs(frames - other).mean()
    np.testing.assert_allclose(points_of(clip, "joints"), points_of(truth["daria"], "joints"), atol=0.01)
    hips = points_of(clip, "joints")[:, 7:9].mean(axis=1)
    assert (np.abs(hips[8:-8] - 16) < 4).all()  # who runs stays in the middle


def test_the_nine_people_have_ninety_three_clips():
    names = [clip.alias for person in PEOPLE for clip in clips_of(person)]
    assert len(names) == len(set(names)) == 93
    assert {"lena_run1", "lena_run2", "lena_skip2", "lena_walk2", "lena_wave2", "ira_run"} <= set(names)
    assert "lena_run" not in names and "lena_bend1" not in names
    takes = [clip_motion(STUDIO, clip_named(name)) for name in ("lena_run1", "lena_run2")]
    assert len(takes[0]) != len(takes[1]) or any((takes[0][name] != takes[1][name]).any() for name in ("x", "bend"))


def test_enough_people_for_both_sides_of_the_split(tmp_path, monkeypatch):
    monkeypatch.setattr(weizmann, "LABELS", ("run",))
    report = synthesize_weizmann(tmp_path, people=3, size=(32, 32), workers=1)
    assert Weizmann(tmp_path).index().people == ["daria", "denis", "lyova"]
    assert "3 clips of 3 people" in report and "1 clips of truth" in report


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(people=10), "people must be from 1 to 9, got 10"),
        (dict(size=(180, 20)), "at least 32 pixels each way, got 180x20"),
        (dict(truth="eli:daria_run"), "expected 'transfer', 'none' or pairs like 'lyova:daria_bend'"),
        (dict(truth="lyova:daria_dance"), "expected 'transfer', 'none' or pairs"),
    ],
)
def test_options_that_make_no_sense(options, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        synthesize_weizmann(tmp_path, **SMALL | options)


def test_a_folder_with_another_rendering_is_refused(tmp_path):
    (tmp_path / "synthetic.json").write_text(json.dumps({"set": "weizmann", "seed": 1}))
    with pytest.raises(DataError, match=r"seed=1, not 5.*choose another --out"):
        synthesize_weizmann(tmp_path, **SMALL)
