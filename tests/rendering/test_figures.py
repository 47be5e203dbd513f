"""The renderer of figures: the same every time, true to its joints, and motion that is nobody's."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from i2vkit.errors import ConfigError
from i2vkit.rendering.figures import (
    ACTIONS,
    GESTURES,
    PENN_JOINTS,
    FigureMotion,
    FigureRenderer,
    contact_sheet,
    draw_motion,
    draw_person,
)
from i2vkit.rendering.figures.contact_sheets import characteristic_frame
from i2vkit.rendering.figures.poses import CHANNELS
from i2vkit.rendering.figures.skeleton import pose_body

SIZES = {"weizmann": (180, 144), "natops": (160, 120), "penn_action": (160, 120)}
EVERY = [(scene, action) for scene, actions in ACTIONS.items() for action in actions]
LENGTHS = {"weizmann": (20, 130), "natops": (25, 60), "penn_action": (30, 80)}
SOME = [("weizmann", "run"), ("natops", "gesture07"), ("penn_action", "tennis_serve")]
ON_THE_SPOT = ("jack", "pjump", "wave1", "wave2", "bend")
ACROSS = ("jump", "run", "side", "skip", "walk")
JOINT = {name: number for number, name in enumerate(PENN_JOINTS)}


def motion_of(scene: str, action: str, seed: int = 5) -> FigureMotion:
    return draw_motion(np.random.default_rng(seed), scene, action)


def thinned(motion: FigureMotion, count: int) -> FigureMotion:
    """Some frames of a motion, evenly spread."""
    return replace(motion, poses=motion.poses[np.linspace(0, len(motion) - 1, count).round().astype(int)])


def joints_of(scene: str, action: str, person: int = 3, seed: int = 5) -> np.ndarray:
    """(T, 13, 2), without drawing anything but the joints."""
    renderer = FigureRenderer(draw_person(0, person), scene, *SIZES[scene])
    body = pose_body(renderer.identity, motion_of(scene, action, seed))
    return np.stack([renderer.camera.project(body[name])[0] for name in PENN_JOINTS], axis=1)


def test_actions_are_those_of_the_sets():
    assert ACTIONS["weizmann"] == (*sorted(ON_THE_SPOT + ACROSS),)
    assert ACTIONS["natops"] == tuple(f"gesture{number:02d}" for number in range(1, 25))
    assert len(set(GESTURES.values())) == 24
    assert len(ACTIONS["penn_action"]) == 8
    with pytest.raises(ConfigError, match="no action 'fly' in scene 'weizmann'; actions of 'weizmann': bend, jack"):
        draw_motion(np.random.default_rng(0), "weizmann", "fly")
    with pytest.raises(ConfigError, match="scenes: weizmann, natops, penn_action"):
        draw_motion(np.random.default_rng(0), "mars", "walk")


def test_people_are_the_same_always_and_differ():
    people = [draw_person(0, person) for person in range(1, 25)]
    assert people[16] == draw_person(0, 17) != draw_person(1, 17)
    looks = {(one.hair_style, one.hair, one.shirt, one.sleeves, one.legwear, one.trousers) for one in people}
    assert len(looks) == 24


@pytest.mark.parametrize(("scene", "action"), SOME)
def test_same_seed_same_bytes_and_frames_do_not_depend_on_what_was_drawn_before(scene, action):
    motion, other = thinned(motion_of(scene, action), 6), thinned(motion_of(scene, ACTIONS[scene][0], seed=6), 2)
    first, again = (FigureRenderer(draw_person(0, 4), scene, *SIZES[scene]) for _ in range(2))
    list(again.render_motion(other))
    for one, two in zip(
        first.render_motion(motion), again.render_motion(thinned(motion_of(scene, action), 6)), strict=True
    ):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.joints, two.joints)
        np.testing.assert_array_equal(one.mask, two.mask)


@pytest.mark.parametrize(("scene", "action"), EVERY)
def test_joints_lie_inside_the_silhouette_and_every_action_moves(scene, action):
    width, height = SIZES[scene]
    motion = motion_of(scene, action)
    assert LENGTHS[scene][0] <= len(motion) <= LENGTHS[scene][1]
    renderer = FigureRenderer(draw_person(0, 7), scene, width, height)
    frames = list(renderer.render_motion(thinned(motion, 6)))
    for frame in frames:
        assert frame.image.shape == (height, width, 3) and frame.image.dtype == np.uint8
        rows, columns = np.nonzero(frame.mask)
        np.testing.assert_array_equal(frame.box, [columns.min(), rows.min(), columns.max(), rows.max()])
        for name, (x, y) in zip(PENN_JOINTS, frame.joints, strict=True):
            if 0 <= x <= width - 1 and 0 <= y <= height - 1:
                near = frame.mask[max(0, round(y) - 1) : round(y) + 2, max(0, round(x) - 1) : round(x) + 2]
                assert near.any(), (name, x, y)
        # The figure is drawn on the place where the mask says, and only shadows and props elsewhere.
        changed = np.abs(frame.image.astype(int) - renderer.place(action)).max(axis=-1) > 8
        assert changed[frame.mask].mean() > 0.85
    moves = [np.abs(b.image.astype(int) - a.image).mean() for a, b in pairwise(frames)]
    assert max(moves) > 0.8


@pytest.mark.parametrize("scene", ACTIONS)
def test_actions_of_a_scene_differ(scene):
    """Arms, legs and hands over time, each clip stretched to 20 frames; no two actions are alike."""
    clips = []
    for action in ACTIONS[scene]:
        poses = thinned(motion_of(scene, action), 20).poses
        hands = [CHANNELS.index(f"{side}_{name}") for side in "lr" for name in ("open", "thumb", "point")]
        poses[:, hands] *= 60.0  # a hand that opens counts as much as an arm that is raised by 60 degrees
        clips.append(poses)
    for number, clip in enumerate(clips):
        for other in clips[:number]:
            assert np.sqrt(((clip - other) ** 2).sum(axis=1)).max() > 50.0


@pytest.mark.parametrize(("scene", "action"), EVERY)
def test_bones_keep_their_lengths(scene, action):
    person = draw_person(0, 9)
    body = pose_body(person, motion_of(scene, action))
    for side in "lr":
        for first, last, length in (
            ("shoulder", "elbow", person.upper_arm),
            ("elbow", "wrist", person.forearm),
            ("hip", "knee", person.thigh),
            ("knee", "ankle", person.shin),
        ):
            bone = np.linalg.norm(body[f"{side}_{first}"] - body[f"{side}_{last}"], axis=-1)
            np.testing.assert_allclose(bone, length, rtol=1e-6)
        assert body[f"{side}_heel"][:, 1].min() > -0.02 and body[f"{side}_toe"][:, 1].min() > -0.02


def test_motion_is_nobodys():
    """Two people do the same angles, and rendering leaves no trace in the motion."""
    motion = motion_of("weizmann", "walk")
    before = motion.poses.copy()
    bodies = [pose_body(draw_person(0, person), motion) for person in (2, 5)]
    for side in "lr":
        arms = [body[f"{side}_elbow"] - body[f"{side}_shoulder"] for body in bodies]
        units = [arm / np.linalg.norm(arm, axis=-1, keepdims=True) for arm in arms]
        np.testing.assert_allclose(units[0], units[1], atol=1e-9)
        assert np.abs(bodies[0][f"{side}_knee"] - bodies[1][f"{side}_knee"]).max() > 1e-3
    next(FigureRenderer(draw_person(0, 2), "weizmann", 60, 48).render_motion(motion))
    np.testing.assert_array_equal(motion.poses, before)
    np.testing.assert_array_equal(motion_of("weizmann", "walk").poses, before)


@pytest.mark.parametrize("action", ACTIONS["natops"])
def test_gestures_start_and_end_at_rest(action):
    for seed in range(3):
        motion = motion_of("natops", action, seed)
        np.testing.assert_allclose(motion.poses[0], motion.poses[-1], atol=1e-9)
        assert motion["l_arm_up"][0] < 15 and motion["r_arm_up"][0] < 15


def test_hands_do_what_the_gesture_says():
    clear, not_clear = (thumb_up(gesture) for gesture in ("gesture02", "gesture03"))
    assert clear > 0.7 and not_clear < -0.7
    for gesture, first, last in (("gesture20", 1.0, 0.0), ("gesture21", 0.0, 1.0)):
        motion = motion_of("natops", gesture)
        raised = np.flatnonzero(motion["r_fore_up"] > 160)
        assert motion["r_open"][raised[2]] == pytest.approx(first, abs=0.05)
        assert motion["r_open"][raised[-3]] == pytest.approx(last, abs=0.05)


def thumb_up(gesture: str) -> float:
    """How far the right thumb points up in the middle of a gesture, -1 to 1."""
    body = pose_body(draw_person(0, 1), motion_of("natops", gesture))
    return float(body["r_thumb"][len(body["r_thumb"]) // 2, 1])


@pytest.mark.parametrize("action", ACROSS)
def test_walkers_cross_the_picture_and_stay_in_it(action):
    width = SIZES["weizmann"][0]
    for seed in range(4):
        hips = joints_of("weizmann", action, seed=seed)[:, [JOINT["l_hip"], JOINT["r_hip"]], 0].mean(axis=1)
        assert abs(hips[-1] - hips[0]) > 0.5 * width
        assert hips.min() > 0.05 * width and hips.max() < 0.95 * width


def test_one_arm_waves_in_wave1_and_both_in_wave2():
    spread = {action: np.ptp(joints_of("weizmann", action), axis=0).max(axis=1) for action in ("wave1", "wave2")}
    assert spread["wave1"][JOINT["r_wrist"]] > 15 and spread["wave1"][JOINT["l_wrist"]] < 4
    assert min(spread["wave2"][[JOINT["l_wrist"], JOINT["r_wrist"]]]) > 15
    assert max(spread["wave2"][[JOINT["l_ankle"], JOINT["r_ankle"]]]) < 0.1


@pytest.mark.parametrize("action", ["walk", "run"])
def test_feet_on_the_ground_do_not_slide(action):
    for person in (1, 4):
        body = pose_body(draw_person(0, person), motion_of("weizmann", action))
        for side in "lr":
            ball = body[f"{side}_ball"]
            grounded = (ball[1:, 1] < 1e-9) & (ball[:-1, 1] < 1e-9)
            assert grounded.sum() >= 4
            np.testing.assert_allclose(np.diff(ball, axis=0)[grounded], 0.0, atol=1e-9)


def test_feet_stay_under_who_bends_and_knees_bend_forward():
    body = pose_body(draw_person(0, 2), motion_of("weizmann", "bend"))
    for side in "lr":
        assert np.ptp(body[f"{side}_ankle"], axis=0).max() < 1e-3
        forward = body.axes["pelvis"][0][:, 2]
        knee = body[f"{side}_knee"] - 0.5 * (body[f"{side}_hip"] + body[f"{side}_ankle"])
        assert ((knee @ forward) > -0.02).all()
    lowest = np.argmin(body["head"][:, 1])
    assert body["r_wrist"][lowest, 1] < 0.25 and 0.3 < lowest / len(body["head"]) < 0.7


def test_left_is_the_persons_left_and_the_head_is_above():
    frame = joints_of("weizmann", "pjump")[0]
    assert frame[JOINT["l_shoulder"], 0] > frame[JOINT["r_shoulder"], 0]
    assert frame[JOINT["head"], 1] < frame[JOINT["l_shoulder"], 1] < frame[JOINT["l_hip"], 1]


def test_what_is_held_is_no_part_of_the_silhouette():
    motion = motion_of("penn_action", "clean_and_jerk")
    last = replace(motion, poses=motion.poses[-1:])
    frame = next(FigureRenderer(draw_person(0, 3), "penn_action", 160, 120).render_motion(last))
    assert frame.box[2] - frame.box[0] < 0.45 * 67  # the bar alone is longer than the body is wide
    both = frame.joints[[JOINT["l_wrist"], JOINT["r_wrist"]]]
    assert (both[:, 1] < frame.joints[JOINT["head"], 1]).all()


def test_contact_sheet_has_people_as_rows_and_actions_as_columns():
    sheet = contact_sheet("weizmann", [2, 3], actions=["wave2", "walk", "bend"], cell=60, columns=2)
    assert sheet.shape == (4 * 48, 120, 3)
    assert (sheet[48:96, 60:] == 255).all() and not (sheet[:48] == 255).all()
    motion = motion_of("weizmann", "wave2")
    assert motion["r_fore_up"][characteristic_frame(motion)] > 180
