"""The rendered arm: one first frame, many futures, things that are pushed and stay in the bin; the set on the disk."""

import json
import math
import shutil

import numpy as np
import pytest

from i2vkit.datasets import Bair, ClipDataset, ClipFolder
from i2vkit.datasets.clip_facts import FILE as FACTS
from i2vkit.datasets.readers.bair import read_actions
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import read_image, write_image
from i2vkit.preparation import prepare_bair
from i2vkit.rendering.arm import (
    CAMERAS,
    NUM_FRAMES,
    ArmMotion,
    ArmRenderer,
    ArmScene,
    SceneObject,
    draw_motion,
    draw_scene,
    push,
)
from i2vkit.rendering.arm.scene import BIN, GRIPPER, REACH
from i2vkit.rendering.synthetic_bair import BairClip, assign_transfers, synthesize_bair

SMALL = dict(people=17, test_scenes=2, seed=3)
TINY = dict(people=1, test_scenes=1, seed=3)


def contents(root) -> dict[str, bytes]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != FACTS]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("rendered")
    synthesize_bair(root, workers=1, **SMALL)
    return root


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    synthesize_bair(root, workers=1, **TINY)
    return root


def straight(scene: ArmScene, x: float, y: float, z: float = 0.01) -> ArmMotion:
    """To that place in one go."""
    return ArmMotion(np.array([NUM_FRAMES - 1.0]), np.array([[x, y, z, *scene.start[3:]]]))


def scene_with(*things: SceneObject, start=(-0.2, 0.0, 0.01, 0.0, 0.5)) -> ArmScene:
    look = dict(floor=(150,) * 3, wall=(90,) * 3, table=(60,) * 3, texture="plain", light=(0.0, 0.6, 0.8))
    return ArmScene(things, start, **look, ambient=0.5, warmth=0.0, seed=0)


def ball(x: float, y: float, radius: float = 0.04) -> SceneObject:
    return SceneObject("ball", (radius, radius), 2 * radius, (200, 40, 40), (200, 40, 40), x, y, 0.0)


# Pushing


def test_a_thing_ahead_is_pushed_and_stops_at_once():
    scene = scene_with(ball(0.0, 0.0), ball(0.0, 0.2, radius=0.03))
    trajectory = push(scene, straight(scene, 0.1, 0.0))
    np.testing.assert_allclose(trajectory.gripper[-1, :2], (0.1, 0.0))
    np.testing.assert_allclose(trajectory.things[-1, 0, :2], (0.1 + GRIPPER + 0.04, 0.0), atol=1e-12)
    np.testing.assert_array_equal(trajectory.things[:, 1], np.broadcast_to(trajectory.things[0, 1], (NUM_FRAMES, 3)))
    touched = trajectory.gripper[:, 0] + GRIPPER + 0.04 > 0.0
    np.testing.assert_array_equal(trajectory.things[~touched, 0, 0], 0.0)
    np.testing.assert_allclose(trajectory.things[touched, 0, 0] - trajectory.gripper[touched, 0], GRIPPER + 0.04)


def test_a_thing_pushes_the_next_one():
    scene = scene_with(ball(0.0, 0.0), ball(0.085, 0.0))
    trajectory = push(scene, straight(scene, 0.05, 0.0))
    first, second = trajectory.things[-1, :, 0]
    assert first == pytest.approx(0.05 + GRIPPER + 0.04, abs=0.01)
    assert second - first == pytest.approx(0.08, abs=0.004)


def test_above_the_things_nothing_is_pushed():
    scene = scene_with(ball(0.0, 0.0), start=(-0.2, 0.0, 0.1, 0.0, 0.5))
    trajectory = push(scene, straight(scene, 0.2, 0.0, z=0.1))
    assert (trajectory.things[-1] == trajectory.things[0]).all()


def test_a_thing_rubbed_along_its_edge_turns():
    scene = scene_with(ball(0.0, 0.05))
    trajectory = push(scene, straight(scene, 0.2, 0.0))
    # pushed up; the gripper passes below
    assert trajectory.things[-1, 0, 1] > 0.06 and trajectory.things[-1, 0, 2] > 0.2


def test_drawn_scenes_and_their_courses():
    moved, counts, kinds = [], set(), set()
    for number in range(12):
        scene = draw_scene(0, 0, number)
        things = scene.things
        counts.add(len(things))
        kinds |= {thing.kind for thing in things}
        for k, thing in enumerate(things):
            assert math.dist((thing.x, thing.y), scene.start[:2]) > thing.radius + GRIPPER
            assert all(math.dist((thing.x, thing.y), (t.x, t.y)) > thing.radius + t.radius for t in things[:k])
        trajectory = push(scene, draw_motion(0, 0, number))
        assert (np.abs(trajectory.gripper[:, :2]) <= np.array(REACH) + 1e-9).all()
        radii = np.array([thing.radius for thing in things])
        assert (np.abs(trajectory.things[..., :2]) <= np.array(BIN) - radii[:, None] + 1e-9).all()
        moved.append(np.linalg.norm(trajectory.things[-1, :, :2] - trajectory.things[0, :, :2], axis=1).max())
        apart = np.linalg.norm(trajectory.things[:, :, None, :2] - trajectory.things[:, None, :, :2], axis=-1)
        overlap = radii[:, None] + radii - apart
        assert overlap[:, ~np.eye(len(things), dtype=bool)].max() < 0.03  # never one thing within the other
    assert counts <= set(range(4, 9)) and len(counts) > 2 and len(kinds) == 5
    assert np.mean(np.array(moved) > 0.03) > 0.7  # most clips push something by more than half its size


def test_a_path_reaches_its_targets_at_rest():
    motion = draw_motion(1, 1, 2)
    start = draw_scene(1, 1, 5).start
    path = motion.path(start, substeps=50)
    np.testing.assert_array_equal(path[0], start)
    np.testing.assert_allclose(path[-1], motion.targets[-1])
    assert np.abs(path[-1] - path[-2]).max() < 1e-6
    stops = np.rint(motion.arrivals * 50).astype(int)
    np.testing.assert_allclose(path[stops], motion.targets, atol=1e-5)
    np.testing.assert_array_equal(motion.path(start), path[::50])


# Pictures


@pytest.mark.parametrize("camera", list(CAMERAS))
def test_one_first_frame_many_futures(camera):
    scene = draw_scene(0, 1, 0)
    drawn = ArmRenderer(scene, camera)
    futures = [list(drawn.render_trajectory(push(scene, draw_motion(0, 1, number)))) for number in range(3)]
    for other in futures[1:]:
        np.testing.assert_array_equal(other[0], futures[0][0])
        assert np.abs(other[-1].astype(int) - futures[0][-1]).max() > 50
        assert np.abs(other[-1].astype(int) - futures[0][-1]).mean() > 1.0


def test_a_picture_depends_on_nothing_drawn_before():
    scene = draw_scene(0, 1, 1)
    trajectory = push(scene, draw_motion(0, 1, 1))
    used = ArmRenderer(scene, "aux1")
    frames = list(used.render_trajectory(trajectory))
    again = ArmRenderer(scene, "aux1").render(trajectory.gripper[7], trajectory.things[7])
    np.testing.assert_array_equal(again, frames[7])
    assert frames[7].shape == (64, 64, 3) and frames[7].dtype == np.uint8


def test_a_thing_is_seen_where_it_lies():
    """The pixels that a red ball changes are centred on its projection, for both cameras."""
    scene = scene_with(ball(0.1, -0.05, radius=0.045), start=(-0.2, 0.15, 0.01, 0.0, 0.5))
    gripper = np.array(scene.start)
    for name, camera in CAMERAS.items():
        frame = ArmRenderer(scene, name).render(gripper, np.array([[0.1, -0.05, 0.0]])).astype(int)
        red = (frame[..., 0] > 2 * frame[..., 1]) & (np.arange(64) > 32)  # the arm, red too, is on the left
        (expected,), (scale,) = camera.project(np.array([[0.1, -0.05, 0.045]]), 64)
        place = np.argwhere(red)[:, ::-1].mean(axis=0)
        np.testing.assert_allclose(place, expected, atol=0.7)
        assert red.sum() == pytest.approx(math.pi * (0.045 * scale) ** 2, rel=0.2)


def test_the_shadow_falls_away_from_the_light():
    """Light from behind (+y): the floor in front of a tall box is darker than that behind it."""
    box = SceneObject("box", (0.03, 0.03), 0.08, (200, 200, 60), (200, 200, 60), 0.1, 0.0, 0.0)
    scene = scene_with(box, start=(-0.2, 0.15, 0.01, 0.0, 0.5))
    frame = ArmRenderer(scene, "main").render(np.array(scene.start), np.array([[0.1, 0.0, 0.0]]))
    bare = ArmRenderer(scene_with(start=scene.start), "main").render(np.array(scene.start), np.zeros((0, 3)))
    pixels, _ = CAMERAS["main"].project(np.array([[0.1, -0.055, 0.0], [0.1, 0.12, 0.0]]), 64)
    (front, behind) = (tuple(np.rint(pixel).astype(int)[::-1]) for pixel in pixels)
    assert frame[front].mean() < 0.8 * bare[front].mean()
    np.testing.assert_allclose(frame[behind], bare[behind], atol=2)


# The set


def test_it_is_read_as_the_real_layout(rendered):
    index = Bair(str(rendered)).index()
    names = [record.name for record in index.records]
    assert names[0] == "train/traj_0_to_15/1" and names[15:] == [
        "train/traj_0_to_15/16",
        "train/traj_16_to_31/1",
        "test/traj_0_to_15/1",
        "test/traj_0_to_15/2",
    ]
    scene = draw_scene(3, 0, 16)
    trajectory = push(scene, draw_motion(3, 0, 16))
    for camera in CAMERAS:
        record = Bair(str(rendered), camera=camera).index().records[16]
        expected = list(ArmRenderer(scene, camera).render_trajectory(trajectory))
        np.testing.assert_array_equal(record.frames.read(range(30)), expected)
    actions, positions = read_actions(index.records[16])
    np.testing.assert_array_equal(positions, trajectory.gripper[:, :3].astype(np.float32))
    np.testing.assert_allclose(positions[:-1] + actions[:-1, :3], positions[1:], atol=1e-6)
    assert not actions[-1].any()


def test_truth_shares_the_scenes_first_frame_and_the_drivers_motion(rendered):
    clips = {record.name: record for record in Bair(str(rendered), split="test").index().records}
    truths = ClipFolder(str(rendered / "truth")).index().records
    assert {(truth.person, truth.metadata["driving"]) for truth in truths} == {(a, b) for a in clips for b in clips}
    for truth in truths:
        own = clips[truth.person].frames.read(range(30))
        frames = truth.frames.read(range(30))
        np.testing.assert_array_equal(frames[0], own[0])
        assert truth.num_frames == 30
        assert np.array_equal(frames, own) == (truth.metadata["driving"] == truth.person)


def test_the_data_set_finds_the_truth_of_a_transfer(rendered):
    dataset = ClipDataset(
        reader=dict(type="Bair", root=str(rendered), split="test"),
        truth=dict(type="ClipFolder", root=str(rendered / "truth")),
        pair_sampler=dict(type="AllPairs"),
        pipeline={},
    )
    assert len(dataset) == 4 and all(pair.truth is not None for pair in dataset.pairs)
    (pair,) = [p for p in dataset.pairs if p.driving.name.endswith("/1") and p.image_video.name.endswith("/2")]
    assert pair.truth.name == "test_traj_0_to_15_2/push/as_test_traj_0_to_15_1"


def test_same_bytes_with_two_workers(tiny, tmp_path):
    synthesize_bair(tmp_path, workers=2, **TINY)
    assert contents(tmp_path) == contents(tiny)


def test_more_scenes_leave_the_first_ones_alone(rendered, tiny):
    for split, count in (("train", 17), ("test", 2)):
        (alone,) = Bair(str(tiny), split=split).index().records
        first, *others = Bair(str(rendered), split=split).index().records
        assert len(others) == count - 1
        np.testing.assert_array_equal(alone.frames.read(range(30)), first.frames.read(range(30)))


def test_an_interrupted_run_goes_on(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path, dirs_exist_ok=True)
    finished = tmp_path / "softmotion30_44k/train/traj_0_to_15.tfrecords"
    before = finished.stat().st_mtime_ns
    (tmp_path / "softmotion30_44k/test/traj_0_to_15.tfrecords").unlink()
    truth = tmp_path / "truth/test_traj_0_to_15_1/push/as_test_traj_0_to_15_1"
    truth.rename(truth.with_name(f".{truth.name}.part"))  # what is left when a run dies within a clip
    synthesize_bair(tmp_path, workers=1, **TINY)
    assert contents(tmp_path) == contents(tiny) and finished.stat().st_mtime_ns == before


def test_no_truth(tmp_path):
    synthesize_bair(tmp_path, workers=1, truth="none", **TINY)
    assert not (tmp_path / "truth").exists()


def test_a_folder_with_another_rendering_is_refused(tmp_path):
    (tmp_path / "synthetic.json").write_text(json.dumps({"set": "bair", "seed": 1}))
    with pytest.raises(DataError, match=r"seed=1, not 3.*choose another --out"):
        synthesize_bair(tmp_path, **SMALL)


def test_truth_pairs():
    assert assign_transfers("none", 64, 16) == []
    pairs = assign_transfers("transfer", 64, 16)
    assert len(pairs) == 64 and {motion.number for _, motion in pairs} == {0, 1, 2, 3}
    assert {scene.split for scene, _ in pairs} == {1}
    assert assign_transfers("test/traj_16_to_31/1:train/traj_0_to_15/3", 64, 17) == [(BairClip(1, 16), BairClip(0, 2))]


@pytest.mark.parametrize("truth", ["test/traj_0_to_15/1", "test/traj_0_to_15/1:test/traj_0_to_15/9", "a:b:c"])
def test_a_truth_that_makes_no_sense(truth, tmp_path):
    with pytest.raises(ConfigError, match="expected 'transfer', 'none' or pairs"):
        synthesize_bair(tmp_path, people=2, test_scenes=2, truth=truth)
    assert not any(tmp_path.iterdir())


# Preparation


def test_prepared_frames_are_the_raw_ones(rendered, tmp_path):
    report = prepare_bair(rendered, tmp_path / "out", workers=1, split="test")
    assert "2 clips of 2 people, 60 frames" in report
    raw = Bair(str(rendered), split="test").index().records
    prepared = ClipFolder(str(tmp_path / "out")).index()
    assert prepared.labels == ["push"]
    by_name = {record.name: record for record in prepared.records}
    for record in raw:
        assert by_name[record.name].person == record.name
        np.testing.assert_array_equal(by_name[record.name].frames.read([0, 29]), record.frames.read([0, 29]))
    truths = ClipFolder(str(tmp_path / "out/truth")).index().records
    assert {(truth.person, truth.metadata["driving"]) for truth in truths} == {
        (a.name, b.name) for a in raw for b in raw
    }


def test_other_sizes_cover_the_whole_frame(tmp_path):
    """A ramp stays one, with the same ends: pixel k of 32 is the mean of pixels 2k and 2k + 1."""
    ramp = np.broadcast_to((2 * np.arange(64, dtype=np.uint8))[None, :, None], (64, 64, 3))
    write_image(tmp_path / "raw/test/traj_0_to_255/1/0.png", np.ascontiguousarray(ramp))
    prepare_bair(tmp_path / "raw", tmp_path / "out", size=32, workers=1)
    frame = read_image(tmp_path / "out/test/traj_0_to_255/1/000.png").astype(int)
    np.testing.assert_array_equal(frame[5, 1:-1, 0], 4 * np.arange(32)[1:-1] + 1)
