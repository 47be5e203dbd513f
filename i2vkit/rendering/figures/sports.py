"""Eight actions of Penn Action with their props, seen from the side or at an angle."""

from collections.abc import Callable

import numpy as np

from i2vkit.rendering.figures.gaits import jumping_jacks, sway
from i2vkit.rendering.figures.poses import FigureMotion, Poses, arm, arms, feet

FPS = 25.0


def sport_motion(rng: np.random.Generator, action: str) -> FigureMotion:
    """Draw a random clip of an action, with view, speed, strength and style from `rng`."""
    poses, heading, prop, two_handed = SPORTS[action](rng)
    sway(poses, rng, FPS, 0.7)
    return FigureMotion("penn_action", action, FPS, heading, poses.array, prop, two_handed)


Choreography = Callable[[np.random.Generator], tuple[Poses, float, str | None, bool]]


def _frames(rng: np.random.Generator, low: int, high: int) -> Poses:
    """Return poses of a random number of frames. Their time runs faster at the beginning or at the end."""
    poses = Poses(int(rng.integers(low, high + 1)))
    poses.time = poses.time ** rng.uniform(0.86, 1.16)
    return poses


def _pitch(rng: np.random.Generator):
    """Pitch a baseball."""
    poses = _frames(rng, 44, 60)
    set_ = arms((40, 62), (112, 128), open=0.1) | dict(
        yaw=-80, twist=0, bend=4, lean=0, turn=70, z=-0.5, y=-0.02, pitch=0
    )
    poses.key(
        (0.0, set_ | dict(l_foot_z=-0.44, l_foot_y=0, r_foot_z=-0.52, r_foot_y=0, l_foot_pitch=0,
            r_foot_pitch=0)),
        (0.08, set_ | dict(l_foot_y=0, l_foot_z=-0.44)),
        (0.3, set_ | dict(yaw=-92, l_foot_y=0.62, l_foot_z=-0.36, l_foot_pitch=30, lean=4, z=-0.5)),
        (0.46, arm("l", (78, 20), (84, 30)) | arm("r", (70, 20), (64, -20), open=0.1) | dict(yaw=-80,
            l_foot_y=0.2, l_foot_z=0.1, z=-0.3, y=-0.08, twist=-10)),
        (0.55, arm("l", (86, 20), (90, 40)) | arm("r", (92, -10), (150, -30), open=0.1) | dict(yaw=-55,
            l_foot_y=0.0, l_foot_z=0.56, l_foot_pitch=0, z=-0.05, y=-0.16, twist=-16, bend=2, turn=60,
            r_foot_z=-0.52, r_foot_pitch=12)),
        (0.63, arm("l", (40, 60), (80, 110)) | arm("r", (104, 20), (176, -40), open=0.1) | dict(yaw=-5, z=0.14,
            twist=8, bend=10, turn=0, r_foot_pitch=40)),
        (0.69, arm("l", (24, 20), (50, 110)) | arm("r", (112, 52), (132, 78), open=0.6) | dict(yaw=15, z=0.22,
            twist=24, bend=28, pitch=14, r_foot_z=-0.42, r_foot_pitch=66)),
        (0.8, arm("l", (10, -10), (40, 80)) | arm("r", (66, 110), (56, 130), open=0.7) | dict(yaw=28, z=0.32,
            y=-0.2, twist=34, bend=44, pitch=24, r_foot_y=0.36, r_foot_z=-0.2, r_foot_pitch=74)),
        (1.0, arm("l", (16, 10), (50, 80)) | arm("r", (44, 100), (50, 120), open=0.7) | dict(yaw=14, z=0.4,
            y=-0.1, twist=14, bend=22, pitch=12, r_foot_y=0.0, r_foot_z=0.5, r_foot_pitch=0, l_foot_z=0.56)),
    )  # fmt: skip
    poses["r_foot_yaw"], poses["l_foot_yaw"] = 50.0, 8.0
    released = int(np.searchsorted(poses.time, 0.68))
    poses["phase"] = np.maximum(np.arange(len(poses)) - released, 0.0) / FPS
    return poses, _angle(rng, 78, 12), "ball", False


def _angle(rng: np.random.Generator, middle: float, spread: float) -> float:
    """Draw a random heading around `middle` degrees, to the left or to the right."""
    return float(rng.choice([-1.0, 1.0]) * (middle + rng.uniform(-spread, spread)))


def _bat(rng: np.random.Generator):
    """Swing a baseball bat."""
    poses = _frames(rng, 36, 50)
    stance = dict(yaw=0, twist=-34, turn=62, bend=14, y=-0.1, x=-0.04, grip_x=-0.32, grip_y=-0.05, grip_z=0.42,
        prop_up=150, prop_round=-40, lean=0)  # fmt: skip
    poses.key(
        (0.0, stance),
        (0.2, stance | dict(prop_up=146, y=-0.11, l_foot_x=0.2, l_foot_y=0.0)),
        (0.3, dict(l_foot_y=0.09, l_foot_x=0.26)),
        (0.38, stance | dict(twist=-46, x=-0.09, prop_up=140, prop_round=-50, l_foot_x=0.32, l_foot_y=0.0)),
        (0.5, dict(twist=-26, yaw=22, x=0.06, grip_x=-0.22, grip_y=-0.16, grip_z=0.6, prop_up=112,
            prop_round=10, turn=44, r_foot_pitch=8)),
        (0.58, dict(twist=8, yaw=44, grip_x=0.06, grip_y=-0.26, grip_z=0.84, prop_up=92, prop_round=92, turn=16,
            r_foot_pitch=24)),
        (0.66, dict(twist=30, yaw=60, x=0.1, grip_x=0.3, grip_y=-0.16, grip_z=0.7, prop_up=88, prop_round=176,
            turn=-20)),
        (0.8, dict(twist=46, yaw=72, grip_x=0.42, grip_y=0.08, grip_z=0.42, prop_up=120, prop_round=250,
            turn=-36, r_foot_pitch=50)),
        (1.0, dict(twist=50, yaw=74, grip_x=0.42, grip_y=0.1, grip_z=0.4, prop_up=130, prop_round=262, turn=-40,
            y=-0.08)),
    )  # fmt: skip
    poses["r_foot_x"] = 0.2
    return poses, float(rng.uniform(-20, 30)), "bat", True


def _clean_and_jerk(rng: np.random.Generator):
    """Lift a barbell from the floor to the shoulders and over the head."""
    poses = _frames(rng, 66, 80)
    floor = dict(y=-0.5, z=-0.22, pitch=48, bend=14, nod=-34, grip_x=0, grip_y=-0.86, grip_z=0.42)
    rack = dict(grip_y=-0.12, grip_z=0.36, pitch=0, bend=2, nod=0)
    over = dict(grip_y=0.98, grip_z=0.06, pitch=4, bend=2, nod=4)
    poses.key(
        (0.0, floor),
        (0.1, floor),
        (0.22, dict(y=-0.16, z=-0.12, pitch=42, bend=14, nod=-28, grip_y=-0.9, grip_z=0.34)),
        (0.3, dict(y=0.02, z=0, pitch=0, bend=-4, nod=0, grip_y=-0.55, grip_z=0.3)),
        (0.38, rack | dict(y=-0.52, z=-0.06, pitch=12, bend=6)),
        (0.44, rack | dict(y=-0.54, z=-0.06, pitch=12, bend=6)),
        (0.58, rack | dict(y=0, z=0)),
        (0.66, rack | dict(y=0, z=0)),
        (0.71, rack | dict(y=-0.14, z=0, l_foot_z=0, r_foot_z=0, r_foot_pitch=0)),
        (0.78, over | dict(y=-0.22, z=0, grip_y=0.9, l_foot_z=0.42, r_foot_z=-0.42, r_foot_pitch=34)),
        (0.84, over | dict(y=-0.24, z=0, l_foot_z=0.42, r_foot_z=-0.42, r_foot_pitch=34)),
        (0.95, over | dict(y=0, l_foot_z=0.0, r_foot_z=0.0, r_foot_pitch=0)),
        (1.0, over | dict(y=0)),
    )  # fmt: skip
    poses.key((0.0, feet(foot_x=0.12, foot_yaw=24)))
    poses["prop_up"] = 90.0
    return poses, float(rng.uniform(-35, 35)), "barbell", True


def _golf(rng: np.random.Generator):
    """Swing a golf club."""
    poses = _frames(rng, 50, 68)
    address = dict(yaw=0, twist=0, bend=24, pitch=16, nod=10, turn=0, grip_x=0, grip_y=-0.8, grip_z=0.38,
        prop_up=32, prop_round=90, y=-0.06, z=-0.1, x=0)  # fmt: skip
    poses.key(
        (0.0, address),
        (0.12, address),
        (0.28, dict(twist=-44, yaw=-22, turn=40, grip_x=-0.42, grip_y=-0.36, grip_z=0.62, prop_up=96,
            prop_round=20)),
        (0.46, dict(twist=-62, yaw=-34, turn=66, grip_x=-0.38, grip_y=0.1, grip_z=0.42, prop_up=150,
            prop_round=-60, x=-0.05)),
        (0.52, dict(twist=-60, yaw=-30, turn=62, grip_x=-0.38, grip_y=0.1, grip_z=0.42, prop_up=150,
            prop_round=-60, x=-0.03)),
        (0.6, dict(twist=-30, yaw=0, turn=30, grip_x=-0.32, grip_y=-0.4, grip_z=0.6, prop_up=86, prop_round=24,
            x=0.02)),
        (0.65, dict(twist=0, yaw=20, turn=-8, bend=26, pitch=14, nod=10, grip_x=0.02, grip_y=-0.8, grip_z=0.4,
            prop_up=30, prop_round=92, r_foot_pitch=10, x=0.06)),
        (0.71, dict(twist=26, yaw=44, turn=-20, grip_x=0.36, grip_y=-0.4, grip_z=0.6, prop_up=84,
            prop_round=150, r_foot_pitch=30)),
        (0.82, dict(twist=46, yaw=66, turn=-20, bend=8, pitch=4, nod=0, grip_x=0.36, grip_y=0.12, grip_z=0.38,
            prop_up=150, prop_round=240, r_foot_pitch=56, x=0.1, z=0)),
        (1.0, dict(twist=50, yaw=72, turn=-24, bend=2, pitch=0, grip_x=0.34, grip_y=0.16, grip_z=0.36,
            prop_up=140, prop_round=262, r_foot_pitch=60, y=-0.02)),
    )  # fmt: skip
    poses.key((0.0, feet(foot_x=0.16, foot_yaw=14)))
    return poses, float(rng.uniform(-25, 25)), "club", True


def _jacks(rng: np.random.Generator):
    """Do jumping jacks."""
    seconds, cycles = rng.uniform(0.85, 1.1), int(rng.integers(2, 4))
    num_frames = int(np.clip(round(cycles * seconds * FPS), 30, 80))
    poses = Poses(num_frames)
    phase = np.arange(num_frames) / FPS / seconds
    jumping_jacks(poses, phase, 0.1, rng.uniform(0.28, 0.36), 148.0)
    return poses, float(rng.uniform(-30, 30)), None, False


def _rope(rng: np.random.Generator):
    """Jump a skipping rope."""
    seconds = rng.uniform(0.44, 0.56)
    num_frames = int(rng.integers(40, 66))
    poses = Poses(num_frames)
    turns = np.arange(num_frames) / FPS / seconds + rng.uniform(0.0, 1.0)
    # The rope is below the feet (phase 0) in the middle of each jump.
    air = np.clip(np.cos(2.0 * np.pi * turns) * 1.25, 0.0, 1.0)
    poses["y"] = 0.13 * air - 0.04 * (1.0 - air)
    wave = 2.0 * np.pi * turns
    for side in "lr":
        poses[f"{side}_foot_y"], poses[f"{side}_foot_pitch"] = 0.12 * air, 34.0 * air
        poses[f"{side}_arm_up"], poses[f"{side}_arm_round"] = 22.0 + 2.0 * np.cos(wave), 6.0
        poses[f"{side}_fore_up"] = 64.0 + 6.0 * np.cos(wave)
        poses[f"{side}_fore_round"] = 32.0 + 9.0 * np.sin(wave)
        poses[f"{side}_open"], poses[f"{side}_foot_x"] = 0.0, 0.0
    poses["phase"] = turns
    return poses, float(rng.uniform(-40, 40)), "rope", False


def _forehand(rng: np.random.Generator):
    """Play a tennis forehand."""
    poses = _frames(rng, 38, 54)
    ready = arm("r", (36, 60), (84, 100), open=0.0) | arm("l", (34, 62), (86, 120), open=0.5)
    poses.key(
        (0.0, ready | dict(yaw=0, twist=0, turn=0, bend=14, y=-0.1, x=0, prop_up=110, prop_round=110, z=0)),
        (0.14, ready | dict(yaw=0, twist=0, turn=0, prop_up=110, prop_round=110, l_foot_z=0, l_foot_y=0)),
        (0.24, dict(l_foot_y=0.08)),
        (0.36, arm("r", (62, -20), (72, -40), open=0.0) | arm("l", (72, 50), (84, 80), open=0.8) | dict(yaw=-46,
            twist=-40, turn=66, y=-0.14, z=0.04, prop_up=118, prop_round=-50, l_foot_z=0.34, l_foot_y=0)),
        (0.5, arm("r", (50, 0), (58, 0), open=0.0) | arm("l", (70, 40), (84, 60)) | dict(yaw=-34, twist=-30,
            turn=52, y=-0.18, z=0.12, prop_up=76, prop_round=-20)),
        (0.6, arm("r", (66, 70), (80, 84), open=0.0) | arm("l", (40, 40), (84, 90)) | dict(yaw=6, twist=0,
            turn=10, z=0.2, prop_up=86, prop_round=40, r_foot_pitch=10)),
        (0.7, arm("r", (92, 112), (112, 140), open=0.0) | arm("l", (34, 30), (90, 100)) | dict(yaw=30, twist=24,
            turn=-20, y=-0.1, prop_up=120, prop_round=120, r_foot_pitch=36)),
        (0.82, arm("r", (96, 128), (134, 176), open=0.0) | arm("l", (30, 30), (84, 100)) | dict(yaw=40,
            twist=36, turn=-34, prop_up=130, prop_round=210, r_foot_pitch=48)),
        (1.0, arm("r", (80, 120), (120, 170), open=0.0) | arm("l", (34, 40), (84, 100)) | dict(yaw=26, twist=24,
            turn=-24, y=-0.08, prop_up=130, prop_round=200, r_foot_pitch=30)),
    )  # fmt: skip
    poses.key((0.0, feet(foot_x=0.16, foot_yaw=16)))
    return poses, _angle(rng, 40, 18), "racket", False


def _serve(rng: np.random.Generator):
    """Serve in tennis."""
    poses = _frames(rng, 46, 62)
    start = arm("r", (40, 60), (80, 100), open=0.0) | arm("l", (40, 66), (74, 96), open=0.3)
    poses.key(
        (0.0, start | dict(yaw=-52, twist=-4, turn=46, bend=8, lean=0, y=-0.03, z=0, prop_up=86, prop_round=90)),
        (0.12, start | arm("l", (26, 66), (40, 84), open=0.3) | dict(yaw=-54)),
        (0.34, arm("r", (72, -10), (92, -20), open=0.0) | arm("l", (150, 60), (168, 60), open=1) | dict(yaw=-62,
            twist=-14, turn=46, nod=-24, bend=-4, lean=6, y=-0.12, prop_up=140, prop_round=0)),
        (0.48, arm("r", (94, -8), (160, -60), open=0.0) | arm("l", (164, 60), (174, 60), open=1) | dict(yaw=-62,
            twist=-20, turn=46, nod=-26, bend=-8, lean=10, y=-0.16, prop_up=150, prop_round=-120)),
        (0.57, arm("r", (112, 10), (110, -70), open=0.0) | arm("l", (110, 60), (130, 90)) | dict(yaw=-36,
            twist=0, turn=24, nod=-20, bend=-2, lean=0, y=0.02, prop_up=30, prop_round=-90, r_foot_pitch=20,
            l_foot_pitch=20)),
        (0.64, arm("r", (158, 36), (172, 60), open=0.0) | arm("l", (40, 40), (100, 110)) | dict(yaw=-8,
            twist=12, turn=4, nod=-12, bend=6, lean=-8, y=0.06, l_foot_y=0.05, r_foot_y=0.07, z=0.08, prop_up=172,
            prop_round=90, l_foot_pitch=40, r_foot_pitch=44)),
        (0.72, arm("r", (112, 78), (104, 86), open=0.0) | arm("l", (24, 40), (80, 120)) | dict(yaw=14, twist=22,
            turn=0, nod=0, bend=26, lean=-4, y=-0.04, l_foot_y=0.0, l_foot_z=0.2, l_foot_pitch=0, prop_up=80,
            prop_round=88, z=0.22)),
        (0.84, arm("r", (54, 112), (40, 124), open=0.0) | arm("l", (24, 40), (80, 110)) | dict(yaw=26, twist=28,
            bend=34, pitch=10, y=-0.12, prop_up=20, prop_round=150, r_foot_y=0.16, r_foot_z=-0.1, r_foot_pitch=50,
            z=0.32)),
        (1.0, arm("r", (36, 96), (60, 110), open=0.0) | arm("l", (30, 40), (84, 100)) | dict(yaw=8, twist=8,
            bend=14, pitch=0, y=-0.06, prop_up=60, prop_round=110, r_foot_y=0.0, r_foot_z=0.3, r_foot_pitch=0,
            z=0.32)),
    )  # fmt: skip
    poses.key((0.0, feet(foot_x=0.1, foot_yaw=16)))
    return poses, _angle(rng, 62, 14), "racket", False


SPORTS: dict[str, Choreography] = {
    "baseball_pitch": _pitch,
    "baseball_swing": _bat,
    "clean_and_jerk": _clean_and_jerk,
    "golf_swing": _golf,
    "jumping_jacks": _jacks,
    "jump_rope": _rope,
    "tennis_forehand": _forehand,
    "tennis_serve": _serve,
}
