"""The synthetic NATOPS: repeats lie where its table says, to the frame; the ground truth is exact; it is resumable."""

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, Natops
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.natops import LABELS, Segment
from i2vkit.errors import ConfigError
from i2vkit.media import read_video
from i2vkit.preparation.prepared_natops import prepare_natops
from i2vkit.rendering import synthetic_natops as natops
from i2vkit.rendering.figures import ACTIONS
from i2vkit.rendering.figures.figure_clips import FigureStudio, render_clip
from i2vkit.rendering.synthetic_natops import Session, segments_of, session_of, synthesize_natops, write_segmentation

from .test_synthetic_oulu_casia import contents

SMALL = dict(people=2, seed=3, workers=1, repeats=2, size=(64, 48), truth="s16:g01s01r02")
STUDIO = FigureStudio(3, "natops", (64, 48), 20.0)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """s01 and s16, the first gesture twice."""
    root = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(natops, "LABELS", LABELS[:1])
        synthesize_natops(root, **SMALL)
    return root


def test_every_repeat_lies_where_the_table_says(rendered):
    index = Natops(rendered, repeats=2).index()
    names = ["s01/gesture01/g01s01r01", "s01/gesture01/g01s01r02", "s16/gesture01/g01s16r01", "s16/gesture01/g01s16r02"]
    assert [record.name for record in index.records] == names and index.skipped == []
    for record in index.records[1:3]:
        clip = next(c for c in session_of(STUDIO, record.person, record.label, 2).clips if c.name == record.name)
        true = np.stack([frame.image for frame in render_clip(STUDIO, clip)]).astype(int)
        frames = np.stack(list(record.frames)).astype(int)
        assert frames.shape == true.shape and record.num_frames == len(true)
        exact = np.abs(frames - true).mean(axis=(1, 2, 3))
        assert exact.max() < 2.5  # Motion JPEG
        moving = np.abs(true[1:] - true[:-1]).mean(axis=(1, 2, 3)) > 2.0
        assert moving.sum() > 8  # there one frame more or less would be seen
        assert (np.abs(frames[1:] - true[:-1]).mean(axis=(1, 2, 3)) > 1.5 * exact[1:])[moving].all()
        joints = np.stack([frame.joints for frame in render_clip(STUDIO, clip)])
        np.testing.assert_allclose(points_of(record, "joints"), joints, atol=6e-4)


def test_before_between_and_after_repeats_the_person_rests(rendered):
    first, second = [record.frames for record in Natops(rendered, repeats=2).index().records[:2]]
    video = read_video(first.path).astype(int)
    assert (natops.REST[0] <= first.start < natops.REST[1]) and natops.REST[0] <= second.start - first.stop
    assert len(video) == second.stop + natops.REST[0]
    for rest in (video[: first.start + 1], video[first.stop : second.start + 1], video[second.stop - 1 :]):
        assert np.abs(rest - rest[0]).max() == 0


def test_the_table_has_the_owners_form(tmp_path):
    clips = session_of(STUDIO, "s07", "gesture12", 2).clips
    session = Session(clips, (10, 6))
    segments = segments_of(session, [30, 25])
    assert segments == [Segment(1, 11, 40), Segment(2, 47, 71)]
    write_segmentation(tmp_path / "segmentation.txt", {session: segments})
    assert (tmp_path / "segmentation.txt").read_text() == "// Subject 7\n7,12,2\n1:11,40\n2:47,71\n"
    assert session.name == "g12s07"


def test_truth_is_the_person_with_the_motion_of_the_clip(rendered):
    (record,) = ClipFolder(rendered / "truth").index().records
    assert (record.name, record.metadata["driving"]) == ("s16/gesture01/as_g01s01r02", "s01/gesture01/g01s01r02")
    clip = session_of(STUDIO, "s01", "gesture01", 2).clips[1].done_by("s16", 16)
    true = [frame.image for frame in render_clip(STUDIO, clip)]
    np.testing.assert_array_equal(record.frames.read(range(record.num_frames)), true)


def test_an_interrupted_run_goes_on_with_other_workers(rendered, tmp_path, monkeypatch):
    monkeypatch.setattr(natops, "LABELS", LABELS[:1])
    synthesize_natops(tmp_path, **SMALL | dict(truth="none"))
    kept = tmp_path / "data/gesture01/g01s01.avi"
    before = kept.stat().st_mtime_ns
    (tmp_path / "data/gesture01/g01s16.avi").unlink()
    (tmp_path / "data/segmentation.txt").unlink()
    synthesize_natops(tmp_path, **SMALL | dict(workers=2))
    assert contents(tmp_path) == contents(rendered)
    assert kept.stat().st_mtime_ns == before


def test_prepared_clips_and_their_truth_are_cut_out_alike(rendered, tmp_path):
    report = prepare_natops(rendered / "data", tmp_path / "out", size=32, workers=1, repeats=2)
    assert "4 clips of 2 people" in report and "1 clips of 1 people" in report
    (truth,) = ClipFolder(tmp_path / "out/truth").index().records
    clips = {record.name: record for record in ClipFolder(tmp_path / "out").index().records}
    driving = clips[truth.metadata["driving"]]
    frames = driving.frames.read(range(driving.num_frames)).astype(int)
    assert frames.shape == (truth.num_frames, 32, 32, 3)
    raw = next(r for r in Natops(rendered, repeats=2).index().records if r.name == driving.name)
    # 64 pixels stand for 320: the 260x260 pixels around (160, 124.5) become 32x32.
    expected = (points_of(raw, "joints") * 5 + 2 - [30, -5.5]) / 260 * 32 + 0.5 * (32 / 260) - 0.5
    np.testing.assert_allclose(points_of(driving, "joints"), expected, atol=0.01)


def test_gestures_and_people_are_those_of_the_layout():
    assert ACTIONS["natops"] == LABELS
    names = [clip.alias for label in LABELS for clip in session_of(STUDIO, "s20", label, 20).clips]
    assert len(set(names)) == 480 and names[0] == "g01s20r01" and names[-1] == "g24s20r20"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(people=21), "people must be from 1 to 20, got 21"),
        (dict(repeats=0), "1 to 99 repeats, got 64x48 pixels and 0"),
        (dict(truth="s16:g01s01r03"), "expected 'transfer', 'none' or pairs like 's16:g01s01r01'"),
    ],
)
def test_options_that_make_no_sense(options, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        synthesize_natops(tmp_path, **SMALL | options)
