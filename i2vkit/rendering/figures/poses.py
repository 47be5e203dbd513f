"""How a figure moves: joint angles and paths over time, never a word about whose body it is."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

SIDES = ("l", "r")
_BODY = ("x", "y", "z", "yaw", "pitch", "roll", "bend", "lean", "twist", "nod", "turn", "tilt")
_ARM = ("arm_up", "arm_round", "fore_up", "fore_round", "hand_roll", "open", "thumb", "point")
_FOOT = ("foot_x", "foot_y", "foot_z", "foot_pitch", "foot_yaw")
_PROP = ("grip_x", "grip_y", "grip_z", "prop_up", "prop_round", "phase")
CHANNELS = _BODY + tuple(f"{side}_{name}" for side in SIDES for name in _ARM + _FOOT) + _PROP
INDEX = {name: number for number, name in enumerate(CHANNELS)}

REST = dict(foot_x=0.02, foot_yaw=8.0, arm_up=9.0, arm_round=15.0, fore_up=12.0, fore_round=55.0, open=0.6)
Keys = dict[str, float]


@dataclass(frozen=True)
class FigureMotion:
    """A clip's motion, the same for everybody. Angles are degrees; x is the person's left, y up, z forward.

    Columns of `poses` (`CHANNELS`), each for a person at rest 0 or as in `REST`:

    - x, y, z: where the hips are against standing, in leg lengths; yaw, pitch, roll of the pelvis (to the person's
      left, forward, to the right); bend, lean, twist of the chest against it; turn, nod, tilt of the head.
    - Of each arm: `up` from hanging (0) over level (90) to overhead (180) and `round` from sideways (0) to forward (90)
      of upper arm and forearm, both against the chest; the roll of the hand; open (0 fist .. 1 flat), thumb, point
      (0 folded .. 1 stretched thumb and forefinger).
    - Of each foot: x (outward), y, z of its ball against standing, in leg lengths; pitch (heel up), yaw (outward).
    - grip: where both hands meet, from the neck's base in arm lengths, against the chest; up and round of the prop, as
      of an arm; phase of a rope in turns, of a thrown ball in seconds since its release.
    """

    scene: str
    action: str
    fps: float
    heading: float  # degrees: 0 faces the camera, 90 the right of the picture
    poses: np.ndarray  # (T, len(CHANNELS))
    prop: str | None = None  # "bat", "racket", "club", "barbell", "rope" or "ball"
    two_handed: bool = False  # the hands are where the grip is, whatever the arms' angles

    def __len__(self) -> int:
        return len(self.poses)

    def __getitem__(self, channel: str) -> np.ndarray:
        return self.poses[:, INDEX[channel]]


class Poses:
    """Poses (T, channels) under construction, all at rest; channels are read and set by name."""

    def __init__(self, num_frames: int) -> None:
        self.array = np.zeros((num_frames, len(CHANNELS)))
        self.time = np.linspace(0.0, 1.0, num_frames)
        for side in SIDES:
            for name, value in REST.items():
                self[f"{side}_{name}"] = value

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, channel: str) -> np.ndarray:
        return self.array[:, INDEX[channel]]

    def __setitem__(self, channel: str, value: np.ndarray | float) -> None:
        self.array[:, INDEX[channel]] = value

    def key(self, *keys: tuple[float, Keys]) -> "Poses":
        """Lead channels smoothly, without overshoot, through the values given at times 0 to 1.

        A channel that a key does not name passes it by; before its first and after its last key it stays.
        """
        for channel in dict.fromkeys(name for _, values in keys for name in values):
            times, values = zip(*[(time, values[channel]) for time, values in keys if channel in values], strict=True)
            if len(times) == 1:
                self[channel] = values[0]
            else:
                inside = np.clip(self.time, times[0], times[-1])
                self[channel] = PchipInterpolator(times, values)(inside)
        return self


def arm(side: str, upper: tuple[float, float], fore: tuple[float, float] | None = None, **hand: float) -> Keys:
    """Keys of one arm: (up, round) of the upper arm and of the forearm (stretched without), channels of the hand.

    >>> arm("l", (90, 0), open=1)
    {'l_arm_up': 90, 'l_arm_round': 0, 'l_fore_up': 90, 'l_fore_round': 0, 'l_open': 1}
    """
    fore = upper if fore is None else fore
    keys = dict(arm_up=upper[0], arm_round=upper[1], fore_up=fore[0], fore_round=fore[1], **hand)
    return {f"{side}_{name}": value for name, value in keys.items()}


def arms(upper: tuple[float, float], fore: tuple[float, float] | None = None, **hand: float) -> Keys:
    """Keys of both arms, mirror images of each other."""
    return arm("l", upper, fore, **hand) | arm("r", upper, fore, **hand)


def feet(**channels: float) -> Keys:
    """Keys of both feet, mirror images of each other."""
    return {f"{side}_{name}": value for side in SIDES for name, value in channels.items()}


def rest(*sides: str) -> Keys:
    """Keys of the hanging arms."""
    names = [name for name in REST if not name.startswith("foot")]
    return {f"{side}_{name}": REST[name] for side in sides or SIDES for name in names} | {
        f"{side}_{name}": 0.0 for side in sides or SIDES for name in ("hand_roll", "thumb", "point")
    }
