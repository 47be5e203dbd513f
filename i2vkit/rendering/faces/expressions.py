"""The motion of a face: facial actions and head pose over time, independent of the person."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

EXPRESSIONS = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")


class ActionUnits(NamedTuple):
    """The strength of each facial action, from 0 (neutral) to about 1, similar to the Facial Action Coding System."""

    brow_inner: float = 0.0  # inner brows up (AU 1)
    brow_outer: float = 0.0  # outer brows up (AU 2)
    brow_lower: float = 0.0  # brows down and together (AU 4)
    eye_wide: float = 0.0  # upper lids up (AU 5)
    cheek_raise: float = 0.0  # cheeks up, lower lids bulge (AU 6)
    lid_tight: float = 0.0  # both lids narrow (AU 7)
    lid_droop: float = 0.0  # outer upper lids sink
    nose_wrinkle: float = 0.0  # wings up, bridge creased (AU 9)
    lip_raise: float = 0.0  # upper lip up (AU 10)
    lip_pull: float = 0.0  # corners out and up (AU 12)
    lip_depress: float = 0.0  # corners down (AU 15)
    chin_raise: float = 0.0  # lower lip pushed up and out (AU 17)
    lip_stretch: float = 0.0  # corners out and flat (AU 20)
    lip_press: float = 0.0  # lips pressed thin (AU 24)
    lips_part: float = 0.0  # lips apart (AU 25)
    jaw_drop: float = 0.0  # jaw down (AU 26)
    blink: float = 0.0  # eyes closed (AU 45)
    skew: float = 0.0  # -1..1: the mouth moves more on the left or the right side of the picture


class HeadPose(NamedTuple):
    """The pose of the head, in degrees and head units. Right in the picture, nodding and clockwise are positive."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    dx: float = 0.0
    dy: float = 0.0


APEX: dict[str, ActionUnits] = {
    "Anger": ActionUnits(
        brow_lower=1.0, lid_tight=0.75, eye_wide=0.2, lip_press=0.9, nose_wrinkle=0.2, lip_depress=0.3
    ),
    "Disgust": ActionUnits(
        nose_wrinkle=1.0, lip_raise=1.0, brow_lower=0.5, lid_tight=0.6, cheek_raise=0.55, lip_depress=0.45
    ),
    "Fear": ActionUnits(
        brow_inner=1.0, brow_outer=0.3, brow_lower=0.3, eye_wide=0.9, lip_stretch=1.0, lips_part=0.8, jaw_drop=0.12
    ),
    "Happiness": ActionUnits(lip_pull=1.0, cheek_raise=0.9, lips_part=0.75, jaw_drop=0.08),
    "Sadness": ActionUnits(brow_inner=1.1, lid_droop=0.9, lip_depress=1.0, chin_raise=0.8),
    "Surprise": ActionUnits(brow_inner=1.0, brow_outer=1.0, eye_wide=1.0, jaw_drop=1.0, lips_part=0.5),
}
# The pose of the head at the apex, with a random sign of yaw: back in surprise, away in disgust, down in sadness.
APEX_HEAD: dict[str, HeadPose] = {
    "Anger": HeadPose(pitch=2.5),
    "Disgust": HeadPose(yaw=4.0, pitch=-1.5, roll=1.5),
    "Fear": HeadPose(yaw=2.0, pitch=-1.0, dy=1.0),
    "Happiness": HeadPose(pitch=-1.5, roll=1.5),
    "Sadness": HeadPose(pitch=4.0, roll=1.5, dy=1.5),
    "Surprise": HeadPose(pitch=-3.0, dy=-1.5),
}


@dataclass(frozen=True)
class FaceMotion:
    """The motion of a clip: `actions` (T, 18) and `head` (T, 5), with the columns of `ActionUnits` and `HeadPose`."""

    actions: np.ndarray
    head: np.ndarray

    def __len__(self) -> int:
        return len(self.actions)

    def __getitem__(self, frame: int) -> tuple[ActionUnits, HeadPose]:
        """Return the actions and the head pose of one frame."""
        return ActionUnits(*self.actions[frame].tolist()), HeadPose(*self.head[frame].tolist())


def neutral_motion(num_frames: int = 1) -> FaceMotion:
    """Return the motion of a face at rest."""
    return FaceMotion(np.zeros((num_frames, len(ActionUnits._fields))), np.zeros((num_frames, len(HeadPose._fields))))


def draw_motion(rng: np.random.Generator, label: str) -> FaceMotion:
    """Draw a random clip of 14 to 28 frames from neutral to the apex of `label`.

    Onset, speed, strength and style come from `rng`. The motion depends only on `rng` and `label`, so every person can
    be given the same motion. This makes "A does B's clip" well defined.
    """
    num_frames = int(rng.integers(14, 29))
    start = rng.uniform(0.0, 0.15) * num_frames
    stop = num_frames - 1 - rng.uniform(0.02, 0.3) * num_frames
    peak = np.array(APEX[label]) * rng.uniform(0.85, 1.12) * rng.uniform(0.88, 1.12, len(ActionUnits._fields))
    # Brows, eyes and mouth do not move in unison: each action has its own small lead or lag.
    lag = rng.normal(0.0, 0.04, len(ActionUnits._fields)) * (stop - start)
    time = np.arange(num_frames)[:, None]
    progress = np.clip((time - np.maximum(start + lag, 0.0)) / (stop - start), 0.0, 1.0)
    actions = ease(progress, rng.uniform(0.7, 1.5)) * peak
    actions[:, ActionUnits._fields.index("blink")] = _blink(rng, num_frames)
    actions[:, ActionUnits._fields.index("skew")] = rng.uniform(-0.35, 0.35) * ease(progress[:, 0], 1.0)
    return FaceMotion(actions, sway(rng, label, ease(progress[:, 0], 1.2)))


def ease(progress: np.ndarray, power: float) -> np.ndarray:
    """Give progress 0 to 1 a smooth start and end. A `power` below 1 starts fast, one above 1 starts slowly."""
    warped = progress**power
    return warped * warped * (3.0 - 2.0 * warped)


def _blink(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Return one blink (T,) of about a fifth of a second in a third of the clips, over before the apex is held."""
    centre, width, happens = rng.uniform(4.0, num_frames - 4.0), rng.uniform(1.8, 2.6), rng.random() < 0.35
    return happens * np.clip(1.15 - np.abs(np.arange(num_frames) - centre) / width, 0.0, 1.0)


def sway(rng: np.random.Generator, label: str | None, level: np.ndarray, pace: float = 1.0) -> np.ndarray:
    """Draw a random pose of the head over time, (T, 5).

    It is a resting offset, a slow sway that starts at zero, and the pose that belongs to the expression.

    Args:
        rng: The source of random numbers.
        label: The expression, or None.
        level: The level of the expression (T,), 0 at rest and 1 at the apex.
        pace: 25 frames per second divided by the frame rate of the clip.
    """
    rest = rng.normal(0.0, [1.0, 0.7, 0.6, 0.8, 0.6])
    width = rng.normal(0.0, [1.2, 0.8, 0.7, 0.7, 0.5])
    speed, phase = rng.uniform(0.08, 0.22, 5), rng.uniform(0.0, 2.0 * np.pi, 5)
    time = pace * np.arange(len(level))[:, None]
    # Subtracting the first value lets the sway start at zero.
    wave = np.sin(speed * time + phase) - np.sin(phase)
    lean = (
        np.array(APEX_HEAD[label] if label else HeadPose())
        * rng.uniform(0.3, 1.3)
        * np.array([rng.choice([-1.0, 1.0]), 1.0, rng.choice([-1.0, 1.0]), 1.0, 1.0])
    )
    return rest + width * wave + lean * level[:, None]
