"""The synthetic MUG: the real layout and its splits, motions that come back to neutral, and an exact ground truth."""

import shutil

import numpy as np
import pytest

from i2vkit.datasets import ClipFolder, Mug
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.splits import MUG_FRGAN_FORECAST, MUG_FRGAN_REFINE, MUG_FRGAN_TEST, MUG_PEOPLE, MUG_TEST, MUG_TRAIN
from i2vkit.errors import ConfigError, DataError
from i2vkit.rendering.faces import EXPRESSIONS, draw_cycle, draw_rest
from i2vkit.rendering.faces.expressions import APEX, ActionUnits
from i2vkit.rendering.faces.face_clips import FaceStudio, renderer, write_clip
from i2vkit.rendering.subjects import choose_subjects, choose_subjects_per_group
from i2vkit.rendering.synthetic_mug import clip_motion, raw_clip, synthesize_mug

from .test_synthetic_oulu_casia import contents

SMALL = dict(people=2, seed=5, workers=1, takes=1, size=(40, 40), truth="017:001/neutral/take000")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    synthesize_mug(root, **SMALL)
    return root


def test_it_is_read_as_the_real_layout(rendered):
    index = Mug(str(rendered)).index()
    assert index.people == ["001", "017"] and not index.skipped
    assert [record.label for record in index.records] == index.labels * 2
    assert index.records[0].name == "001/anger/take000"
    for record in index.records:
        assert 24 <= record.num_frames <= 30 if record.label == "neutral" else 64 <= record.num_frames <= 100
        landmarks = points_of(record, "landmarks")
        assert landmarks.shape == (record.num_frames, 68, 2) and np.isfinite(landmarks).all()
    assert (rendered / "subjects3/017/surprise/take000/img_0000.jpg").exists()


def test_sessions_and_numbers_as_in_the_real_data(tmp_path):
    for take in (0, 1):
        write_clip(FaceStudio(0, (32, 32), 19.0), raw_clip(tmp_path, 0, "002", "neutral", take))
    first, second = Mug(str(tmp_path)).index().records
    assert (first.name, second.name) == ("002/neutral/session0_take000", "002/neutral/session0_take001")
    assert [record.frames.paths[0].name for record in (first, second)] == ["img_0000.jpg", "img_0001.jpg"]
    drawn = [points for _, points in renderer(0, "002", 32, 32).render_motion(clip_motion(0, 2, "neutral", 1))]
    np.testing.assert_allclose(points_of(second, "landmarks"), drawn, atol=6e-4)


def test_an_interrupted_run_goes_on(rendered, tmp_path):
    root = tmp_path / "again"
    shutil.copytree(rendered, root)
    clip = root / "subjects3/017/neutral/take000"
    untouched = (root / "subjects3/001/neutral/take000/img_0000.jpg").stat().st_mtime_ns
    clip.rename(clip.with_name(".take000.part"))
    (root / "truth/landmarks/017/neutral/as_001_take000.csv").unlink()
    synthesize_mug(root, **SMALL)
    assert contents(root) == contents(rendered)
    assert (root / "subjects3/001/neutral/take000/img_0000.jpg").stat().st_mtime_ns == untouched
    with pytest.raises(DataError, match="seed=5, not 6"):
        synthesize_mug(root, **SMALL | dict(seed=6))


def test_truth_is_the_person_with_the_motion_of_the_clip(rendered):
    (truth,) = ClipFolder(str(rendered / "truth")).index().records
    assert (truth.name, truth.person) == ("017/neutral/as_001_take000", "017")
    assert truth.metadata["driving"] == "001/neutral/take000" and truth.fps == 19.0
    motion = clip_motion(5, 1, "neutral", 0)
    expected = [frame for frame, _ in renderer(5, "017", 40, 40).render_motion(motion)]
    np.testing.assert_array_equal(truth.frames.read(range(truth.num_frames)), expected)


def test_the_splits_apply_to_any_number_of_people():
    assert choose_subjects(6, MUG_TRAIN, MUG_TEST) == (["001", "002", "006", "007", "017", "034"], ["017", "034"])
    everyone, tested = choose_subjects(52, MUG_TRAIN, MUG_TEST)
    assert everyone == list(MUG_PEOPLE) and tested == list(MUG_TEST)
    groups = (MUG_FRGAN_FORECAST, MUG_FRGAN_REFINE, MUG_FRGAN_TEST)
    first = [group[:2] for group in groups]
    assert choose_subjects_per_group(6, *groups) == (sorted(sum(first, ())), list(first[-1]))
    everyone, tested = choose_subjects_per_group(50, *groups)
    assert everyone == sorted(sum(groups, ())) and tested == list(MUG_FRGAN_TEST)
    with pytest.raises(ConfigError, match="from 3, one for each group, to 50, got 2"):
        choose_subjects_per_group(2, *groups)


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_an_expression_comes_and_goes(label):
    blink, skew = ActionUnits._fields.index("blink"), ActionUnits._fields.index("skew")
    apex = np.array(APEX[label])
    for seed in range(30):
        motion = draw_cycle(np.random.default_rng(seed), label, 19.0, (64, 100))
        assert 64 <= len(motion) <= 100
        assert np.all(motion.actions[0] == 0.0)
        np.testing.assert_allclose(np.delete(motion.actions[-1], [blink, skew]), 0.0, atol=1e-9)
        ratio = motion.actions.max(axis=0)[apex > 0] / apex[apex > 0]
        assert np.all((ratio > 0.65) & (ratio < 1.4))
        strongest = motion.actions[:, apex.argmax()]
        held = np.flatnonzero(strongest > 0.8 * strongest.max())
        assert 0.15 * len(motion) < held[0] + 10 and held[-1] - held[0] > 0.2 * len(motion)
        assert np.abs(motion.head).max() < 15.0


def test_a_neutral_face_only_blinks_and_sways():
    blink = ActionUnits._fields.index("blink")
    motions = [draw_rest(np.random.default_rng(seed), 19.0, (24, 30)) for seed in range(30)]
    assert {len(motion) for motion in motions} == set(range(24, 31))
    assert all(np.all(np.delete(motion.actions, blink, axis=1) == 0.0) for motion in motions)
    assert sum(motion.actions[:, blink].max() > 0.9 for motion in motions) >= 1
    assert all(np.ptp(motion.head, axis=0).max() > 0.05 for motion in motions)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(people=53), "people must be from 1 to 52, got 53"),
        (dict(takes=0), "takes must be from 1"),
        (dict(size=(240, 20)), "at least 32 pixels each way, got 240x20"),
        (dict(truth="017:001/joy/take000"), "017 does the clip 001/anger/take000"),
    ],
)
def test_requests_that_make_no_sense(tmp_path, wrong, message):
    with pytest.raises(ConfigError, match=message):
        synthesize_mug(tmp_path / "out", **SMALL | wrong)
    assert not (tmp_path / "out").exists()
