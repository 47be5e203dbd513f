"""The ten actions of Weizmann: five in place and five across the picture."""

from collections.abc import Callable

import numpy as np

from i2vkit.rendering.figures.gaits import hump, jumping_jacks, roll_off, smooth, step, sway, swing_arms
from i2vkit.rendering.figures.poses import FigureMotion, Poses, arms, feet, rest

FPS = 25.0
ACROSS = 3.5  # distance covered across the picture in leg lengths, at which everybody stays inside
Choreography = Callable[[np.random.Generator], tuple[Poses, float]]


def weizmann_motion(rng: np.random.Generator, action: str) -> FigureMotion:
    """Draw a random clip of an action, with speed, strength and style from `rng`."""
    poses, heading = CHOREOGRAPHIES[action](rng)
    sway(poses, rng, FPS)
    return FigureMotion("weizmann", action, FPS, heading, poses.array)


def _side(rng: np.random.Generator) -> float:
    """Draw a heading to the left or to the right of the picture."""
    return 90.0 * float(rng.choice([-1.0, 1.0]))


def _cycles(
    rng: np.random.Generator, count: tuple[int, int], period: tuple[float, float]
) -> tuple[Poses, np.ndarray, float]:
    """Return poses of a random number of periods, their phase in cycles, and the seconds of a period."""
    seconds = rng.uniform(*period)
    cycles = int(rng.integers(count[0], count[1] + 1))
    num_frames = round(cycles * seconds * FPS)
    return Poses(num_frames), np.arange(num_frames) / FPS / seconds, seconds


def _bend(rng: np.random.Generator) -> tuple[Poses, float]:
    """Bend down and come up again."""
    poses = Poses(int(rng.integers(56, 80)))
    depth, low, stay = rng.uniform(0.92, 1.06), rng.uniform(0.44, 0.5), rng.uniform(0.03, 0.08)
    down = dict(bend=62 * depth, pitch=56 * depth, nod=-12, z=-0.2, y=-0.05)
    reach = arms((96, 86), (112, 88), open=0.4)
    up = dict(bend=0, pitch=0, nod=0, z=0, y=0) | rest()
    poses.key(
        (0.06, up),
        (0.25, dict(bend=24, pitch=18, nod=8, z=-0.07) | arms((34, 84), (48, 86))),
        (low - stay, down | reach),
        (low + stay, down | reach | dict(bend=66 * depth)),
        (0.74, dict(bend=26, pitch=16, nod=0, z=-0.06) | arms((36, 84), (46, 86))),
        (0.95, up),
    )
    return poses, _side(rng)


def _jack(rng: np.random.Generator) -> tuple[Poses, float]:
    """Do jumping jacks."""
    poses, phase, _ = _cycles(rng, (3, 4), (0.95, 1.2))
    jumping_jacks(poses, phase, rng.uniform(0.09, 0.14), rng.uniform(0.26, 0.36), rng.uniform(140, 152))
    return poses, 0.0


def _hop(
    poses: Poses, within: np.ndarray, high: float, crouch: float, feet_up: float, sides: str = "lr"
) -> tuple[np.ndarray, np.ndarray]:
    """Jump once in each cycle: crouch, leave the ground at 0.3, land at 0.75, crouch.

    Returns:
        The height in the air (0 to 1) and the depth of the crouch (0 to 1), (T,) each.
    """
    air = np.clip((within - 0.3) / 0.45, 0.0, 1.0)
    flight = 4.0 * air * (1.0 - air)
    down = (
        hump((within + 0.06) / 0.38)
        + hump((within - 0.72) / 0.3) * (within < 0.94)
        + (within >= 0.94) * hump((within - 0.94) / 0.38)
    )
    poses["y"] = high * flight - crouch * down - 0.01
    for side in sides:
        poses[f"{side}_foot_y"] = feet_up * flight
        poses[f"{side}_foot_pitch"] = 42.0 * smooth((within - 0.2) / 0.15) * (1.0 - smooth((within - 0.55) / 0.2))
    return flight, down


def _jump(rng: np.random.Generator) -> tuple[Poses, float]:
    """Jump across the picture on both legs."""
    poses, phase, _ = _cycles(rng, (4, 5), (0.62, 0.74))
    within, cycle = phase - np.floor(phase), np.floor(phase)
    flight, down = _hop(poses, within, rng.uniform(0.13, 0.18), 0.13, rng.uniform(0.14, 0.2))
    stride = ACROSS / (np.ceil(phase[-1]))
    ahead = (cycle + smooth((within - 0.26) / 0.52)) * stride - 0.5 * ACROSS
    poses["z"] = (cycle + 0.2 * within + 0.8 * smooth((within - 0.16) / 0.66)) * stride - 0.5 * ACROSS
    for side in "lr":
        poses[f"{side}_foot_z"] = ahead
        poses[f"{side}_arm_up"] = 5.0 + 55.0 * flight - 26.0 * down
        poses[f"{side}_fore_up"] = 26.0 + 62.0 * flight - 16.0 * down
        poses[f"{side}_arm_round"], poses[f"{side}_fore_round"] = 80.0, 90.0
    poses["bend"], poses["pitch"] = 8.0 + 16.0 * down, 4.0 + 8.0 * down
    return poses, _side(rng)


def _pjump(rng: np.random.Generator) -> tuple[Poses, float]:
    """Jump in place."""
    poses, phase, _ = _cycles(rng, (4, 6), (0.56, 0.72))
    flight, down = _hop(poses, phase - np.floor(phase), rng.uniform(0.17, 0.26), 0.13, rng.uniform(0.17, 0.24))
    for side in "lr":
        poses[f"{side}_arm_up"] = 9.0 + 9.0 * flight
        poses[f"{side}_fore_up"] = 14.0 + 20.0 * down
        poses[f"{side}_arm_round"], poses[f"{side}_fore_round"] = 20.0, 60.0
        poses[f"{side}_foot_x"] = 0.03
    poses["bend"], poses["nod"] = 9.0 * down, -4.0 * down
    return poses, 0.0


def _travel(rng: np.random.Generator, speed: float, stride: float) -> tuple[Poses, np.ndarray]:
    """Return poses that cross the picture at `speed` (leg lengths per second), and the phase of the left foot."""
    num_frames = round(ACROSS / speed * FPS)
    poses = Poses(num_frames)
    poses["z"] = np.linspace(-0.5 * ACROSS, 0.5 * ACROSS, num_frames)
    return poses, (poses["z"] + 0.5 * ACROSS) / stride + rng.uniform(0.0, 1.0)


def _stride(poses: Poses, phase: np.ndarray, stride: float, duty: float, lift: float, heel: float, toe: float) -> None:
    """Set the steps of both feet."""
    for side, shift in (("l", 0.0), ("r", 0.5)):
        mine = phase + shift
        step(poses, side, mine, stride, duty, lift, start=float(poses["z"][0] - mine[0] * stride))
        roll_off(poses, side, mine, duty, heel, toe)
        poses[f"{side}_foot_x"], poses[f"{side}_foot_yaw"] = 0.0, 4.0


def _walk(rng: np.random.Generator) -> tuple[Poses, float]:
    """Walk across the picture."""
    stride = rng.uniform(1.32, 1.55)
    poses, phase = _travel(rng, rng.uniform(1.3, 1.65), stride)
    _stride(poses, phase, stride, 0.6, 0.12, 34.0, 16.0)
    # The body is lowest when both feet are down, and highest over one foot.
    poses["y"] = -0.035 - 0.025 * np.cos(4.0 * np.pi * (phase - 0.05))
    swing_arms(poses, phase, rng.uniform(18, 30), 14.0, 10.0)
    poses["yaw"] = 6.0 * np.cos(2.0 * np.pi * phase)
    poses["twist"] = -12.0 * np.cos(2.0 * np.pi * phase)
    poses["bend"] = rng.uniform(1.0, 5.0)
    return poses, _side(rng)


def _run(rng: np.random.Generator) -> tuple[Poses, float]:
    """Run across the picture."""
    stride = rng.uniform(1.9, 2.2)
    poses, phase = _travel(rng, rng.uniform(2.0, 2.4), stride)  # slow enough for windows of 32 frames
    _stride(poses, phase, stride, 0.26, rng.uniform(0.42, 0.52), 62.0, 4.0)
    poses["y"] = -0.02 - 0.045 * np.cos(4.0 * np.pi * (phase - 0.13))
    swing_arms(poses, phase, rng.uniform(38, 50), 80.0, 14.0, middle=-4.0)
    poses["yaw"] = 8.0 * np.cos(2.0 * np.pi * phase)
    poses["twist"] = -18.0 * np.cos(2.0 * np.pi * phase)
    poses["bend"], poses["pitch"], poses["nod"] = rng.uniform(6, 11), 6.0, -8.0
    for side in "lr":
        poses[f"{side}_open"] = 0.2
    return poses, _side(rng)


def _sideways(rng: np.random.Generator) -> tuple[Poses, float]:
    """Gallop sideways: the leading foot steps out, and the other one follows in the air."""
    direction, steps = float(rng.choice([-1.0, 1.0])), int(rng.integers(4, 6))
    num_frames = round(steps * rng.uniform(0.42, 0.52) * FPS)
    poses = Poses(num_frames)
    phase = poses.time * steps
    stride, within, cycle = ACROSS / steps, phase - np.floor(phase), np.floor(phase)
    lead, trail = ("l", "r") if direction > 0 else ("r", "l")
    base = direction * (cycle * stride - 0.5 * ACROSS)
    out, close = smooth((within - 0.02) / 0.43), smooth((within - 0.5) / 0.42)
    for side, moved, sign in ((lead, out, 1.0), (trail, close, -1.0)):
        # The x of a foot is positive outwards.
        poses[f"{side}_foot_x"] = sign * (direction * base + moved * stride) + 0.02
        swing = (within - 0.02) / 0.43 if side == lead else (within - 0.5) / 0.42
        poses[f"{side}_foot_y"] = 0.13 * hump(swing)
        poses[f"{side}_foot_pitch"] = 26.0 * hump(swing)
    poses["x"] = base + direction * stride * (0.25 * out + 0.25 * close + 0.5 * within)
    poses["y"] = -0.05 + 0.11 * hump((within - 0.5) / 0.42) - 0.07 * hump((within - 0.1) / 0.5)
    wave = hump((within - 0.1) / 0.8)
    for side in "lr":
        poses[f"{side}_arm_up"], poses[f"{side}_fore_up"] = 14.0 + 12.0 * wave, 22.0 + 20.0 * wave
        poses[f"{side}_arm_round"], poses[f"{side}_fore_round"] = 10.0, 30.0
    poses["lean"] = -direction * 3.0
    return poses, 0.0


def _skip(rng: np.random.Generator) -> tuple[Poses, float]:
    """Hop across the picture on one leg, with the other one held up."""
    hopping, held = ("l", "r") if rng.random() < 0.5 else ("r", "l")
    poses, phase, _ = _cycles(rng, (5, 6), (0.4, 0.48))
    within, cycle = phase - np.floor(phase), np.floor(phase)
    stride = ACROSS / np.ceil(phase[-1])
    flight, down = _hop(poses, within, rng.uniform(0.1, 0.15), 0.09, 0.12, hopping)
    ahead = (cycle + smooth((within - 0.26) / 0.52)) * stride - 0.5 * ACROSS
    poses["z"] = (cycle + 0.35 * within + 0.65 * smooth((within - 0.16) / 0.66)) * stride - 0.5 * ACROSS
    poses[f"{hopping}_foot_z"] = ahead
    poses[f"{held}_foot_z"] = poses["z"] - 0.2 + 0.3 * flight
    poses[f"{held}_foot_y"] = poses["y"] + 0.46 + 0.1 * flight
    poses[f"{held}_foot_pitch"] = 48.0 - 24.0 * flight
    for side, sign in ((hopping, 1.0), (held, -1.0)):
        poses[f"{side}_arm_up"] = 6.0 + sign * 10.0 + 30.0 * flight - 12.0 * down
        poses[f"{side}_fore_up"] = 50.0 + 36.0 * flight
        poses[f"{side}_arm_round"], poses[f"{side}_fore_round"] = 78.0, 92.0
    poses["bend"] = 7.0 + 6.0 * down
    return poses, _side(rng)


def _wave(rng: np.random.Generator, sides: str) -> tuple[Poses, float]:
    """Wave with one or both arms."""
    poses, phase, _ = _cycles(rng, (3, 4), (0.75, 1.05))
    across = 0.5 - 0.5 * np.cos(2.0 * np.pi * phase)
    low, high = rng.uniform(84, 104), rng.uniform(158, 172)
    for side in sides:
        poses[f"{side}_arm_up"] = low + (high - low) * across
        poses[f"{side}_fore_up"] = low + 12.0 + (high - low + 26.0) * (0.5 - 0.5 * np.cos(2.0 * np.pi * (phase - 0.05)))
        poses[f"{side}_arm_round"], poses[f"{side}_fore_round"] = 8.0, 4.0
        poses[f"{side}_open"] = 1.0
    poses.key((0.0, feet(foot_x=rng.uniform(0.03, 0.1))))
    if len(sides) == 1:
        poses["lean"] = (-3.0 if sides == "l" else 3.0) * across
    return poses, 0.0


CHOREOGRAPHIES: dict[str, Choreography] = {
    "bend": _bend,
    "jack": _jack,
    "jump": _jump,
    "pjump": _pjump,
    "run": _run,
    "side": _sideways,
    "skip": _skip,
    "walk": _walk,
    "wave1": lambda rng: _wave(rng, "r"),
    "wave2": lambda rng: _wave(rng, "lr"),
}
