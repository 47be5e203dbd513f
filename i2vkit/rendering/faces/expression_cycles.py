"""Motions from neutral to an apex and back: expressions, spontaneous and posed smiles, and faces at rest.

Times are in seconds, so that a motion looks the same at any frame rate. As in `expressions`, a motion depends only on
`rng` and the label.
"""

from dataclasses import dataclass

import numpy as np

from i2vkit.rendering.faces.expressions import APEX, ActionUnits, FaceMotion, ease, sway

SMILES = ("deliberate", "spontaneous")


@dataclass(frozen=True)
class ExpressionTiming:
    """The timing of an expression in seconds: rest, way to the apex, time at the apex, way back, and rest again."""

    start: float
    onset: float
    hold: float
    offset: float
    rest: float

    @property
    def length(self) -> float:
        """The length of the whole clip."""
        return self.start + self.onset + self.hold + self.offset + self.rest


@dataclass(frozen=True)
class SmileStyle:
    """The ranges from which one kind of smile is drawn: seconds, strengths of actions, and unevenness of the mouth."""

    onset: tuple[float, float]
    hold: tuple[float, float]
    offset: tuple[float, float]
    strength: tuple[float, float]  # strength of the corners of the mouth
    cheeks: tuple[float, float]  # raised cheeks narrow the eyes
    skew: float
    peaks: tuple[int, int]  # number of times that the smile swells
    dip: tuple[float, float]  # decrease between two peaks


# A posed smile is quick, large and uneven, ends as fast as it began, and does not involve the eyes. A spontaneous one
# builds up and fades slowly, swells more than once, and raises the cheeks (Cohn and Schmidt, 2004; Dibeklioglu et al.,
# 2012).
STYLES: dict[str, SmileStyle] = {
    "deliberate": SmileStyle((0.25, 0.5), (0.7, 1.8), (0.3, 0.7), (0.9, 1.15), (0.05, 0.4), 0.4, (1, 1), (0.0, 0.0)),
    "spontaneous": SmileStyle((0.7, 1.4), (0.8, 2.4), (0.9, 1.8), (0.6, 1.0), (0.75, 1.1), 0.12, (1, 3), (0.15, 0.4)),
}


def draw_cycle(rng: np.random.Generator, label: str, fps: float, frames: tuple[int, int]) -> FaceMotion:
    """Draw a random clip from neutral over the apex of an expression to neutral.

    Args:
        rng: The source of random numbers.
        label: The expression.
        fps: Frames per second.
        frames: The least and the greatest number of frames.
    """
    num_frames = int(rng.integers(frames[0], frames[1] + 1))
    length = (num_frames - 1) / fps
    start, onset, offset, rest = length * rng.uniform((0.05, 0.12, 0.15, 0.04), (0.15, 0.24, 0.28, 0.12))
    timing = ExpressionTiming(start, onset, length - start - onset - offset - rest, offset, rest)
    peak = np.array(APEX[label]) * rng.uniform(0.85, 1.12) * rng.uniform(0.88, 1.12, len(ActionUnits._fields))
    level = _level(rng, timing, num_frames, fps)
    # Nobody holds an expression perfectly still.
    trembling = 1.0 + rng.uniform(0.0, 0.06) * np.sin(rng.uniform(2.0, 6.0) * _times(num_frames, fps))[:, None]
    return _motion(rng, label, level, level * trembling * peak, rng.uniform(-0.35, 0.35), fps)


def draw_smile(rng: np.random.Generator, kind: str, fps: float) -> FaceMotion:
    """Draw a random smile out of a neutral face and back, of about two to seven seconds.

    Args:
        rng: The source of random numbers.
        kind: "deliberate" or "spontaneous".
        fps: Frames per second.
    """
    style = STYLES[kind]
    start = rng.uniform(0.3, 0.8)
    onset, hold, offset = (rng.uniform(*part) for part in (style.onset, style.hold, style.offset))
    timing = ExpressionTiming(start, onset, hold, offset, rest=rng.uniform(0.2, 0.5))
    num_frames = round(timing.length * fps) + 1
    level = _level(rng, timing, num_frames, fps)
    strength, teeth = rng.uniform(*style.strength), rng.uniform(0.0, 0.9)
    peak = np.array(ActionUnits(lip_pull=strength, cheek_raise=strength * rng.uniform(*style.cheeks), lips_part=teeth))
    swell = _swell(rng, style, timing, num_frames, fps)[:, None]
    return _motion(rng, "Happiness", level, level * swell * peak, rng.uniform(-style.skew, style.skew), fps)


def draw_rest(rng: np.random.Generator, fps: float, frames: tuple[int, int]) -> FaceMotion:
    """Draw a random clip of a neutral face that breathes, sways and blinks.

    Args:
        rng: The source of random numbers.
        fps: Frames per second.
        frames: The least and the greatest number of frames.
    """
    num_frames = int(rng.integers(frames[0], frames[1] + 1))
    return _motion(rng, None, np.zeros((num_frames, 1)), np.zeros((num_frames, len(ActionUnits._fields))), 0.0, fps)


def _motion(
    rng: np.random.Generator, label: str | None, level: np.ndarray, actions: np.ndarray, skew: float, fps: float
) -> FaceMotion:
    """Add blinks, an uneven mouth, and a head pose that goes with the actions."""
    overall = level.mean(axis=1)
    actions[:, ActionUnits._fields.index("blink")] = _blinks(rng, len(actions), fps)
    actions[:, ActionUnits._fields.index("skew")] = skew * overall
    return FaceMotion(actions, sway(rng, label, overall, pace=25.0 / fps))


def _times(num_frames: int, fps: float) -> np.ndarray:
    """Return the times (T,) of the frames in seconds."""
    return np.arange(num_frames) / fps


def _level(rng: np.random.Generator, timing: ExpressionTiming, num_frames: int, fps: float) -> np.ndarray:
    """Return the level of each action between rest (0) and apex (1), (T, 18). It is 0 in the first and the last frame.

    Brows, eyes and mouth do not move in unison: each action has its own small lead or lag on both ways.
    """
    time, count = _times(num_frames, fps)[:, None], len(ActionUnits._fields)
    begin = np.maximum(timing.start + rng.normal(0.0, 0.08, count) * timing.onset, 0.0)
    release = timing.start + timing.onset + timing.hold + rng.normal(0.0, 0.08, count) * timing.offset
    # Each action reaches its apex before its release, and comes to rest before the end.
    release = np.clip(release, begin + timing.onset, time[-1] - timing.offset)
    rise = ease(np.clip((time - begin) / timing.onset, 0.0, 1.0), rng.uniform(0.7, 1.5))
    fall = ease(np.clip((time - release) / timing.offset, 0.0, 1.0), rng.uniform(0.6, 1.2))
    return rise * (1.0 - fall)


def _swell(
    rng: np.random.Generator, style: SmileStyle, timing: ExpressionTiming, num_frames: int, fps: float
) -> np.ndarray:
    """Return a factor (T,) that is 1 at each peak of the smile and lower in between."""
    peaks, dip = int(rng.integers(style.peaks[0], style.peaks[1] + 1)), rng.uniform(*style.dip)
    held = np.clip((_times(num_frames, fps) - timing.start - timing.onset) / timing.hold, 0.0, 1.0)
    return 1.0 - dip * np.sin(np.pi * (peaks - 1) * held) ** 2


def _blinks(rng: np.random.Generator, num_frames: int, fps: float) -> np.ndarray:
    """Return blinks (T,) of about a fifth of a second, one to five seconds apart. The first frame has none."""
    time, blink, centre = _times(num_frames, fps), np.zeros(num_frames), 0.2
    while (centre := centre + rng.uniform(1.0, 5.0)) < time[-1]:
        blink = np.maximum(blink, np.clip(1.15 - np.abs(time - centre) / rng.uniform(0.07, 0.1), 0.0, 1.0))
    return blink
