"""The motion of a figure: joint angles and paths over time, independent of the body."""

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
    """The motion of a clip, the same for every person. Angles are in degrees. x is the person's left, y up, z forward.

    The columns of `poses` are those of `CHANNELS`. At rest they are 0 or as in `REST`:

    - x, y, z: position of the hips relative to standing, in leg lengths.
    - yaw, pitch, roll: rotation of the pelvis to the person's left, forward, and to the right.
    - bend, lean, twist: rotation of the chest relative to the pelvis.
    - turn, nod, tilt: rotation of the head.
    - Of each arm: `up` from hanging (0) over level (90) to overhead (180), and `round` from sideways (0) to forward
      (90), of upper arm and forearm, both relative to the chest.
    - Of each hand: its roll, `open` from 0 (fist) to 1 (flat), and `thumb` and `point`, the stretching of thumb and
      forefinger from 0 to 1.
    - Of each foot: x (outward), y, z of its ball relative to standing, in leg lengths, and the angles pitch (heel up)
      and yaw (outward).
    - grip: the point where both hands meet, from the base of the neck in arm lengths, relative to the chest.
    - prop_up, prop_round: the direction of the prop, like that of an arm.
    - phase: the number of turns of a rope, or the seconds since the release of a ball.
    """

    scene: str
    action: str
    fps: float
    heading: float  # degrees: 0 faces the camera, 90 the right of the picture
    poses: np.ndarray  # (T, len(CHANNELS))
    prop: str | None = None  # "bat", "racket", "club", "barbell", "rope" or "ball"
    two_handed: bool = False  # whether the hands follow the grip instead of the arms' angles

    def __len__(self) -> int:
        return len(self.poses)

    def __getitem__(self, channel: str) -> np.ndarray:
        """Return one channel (T,)."""
        return self.poses[:, INDEX[channel]]


class Poses:
    """Poses (T, channels) under construction, first all at rest. Channels are read and set by name."""

    def __init__(self, num_frames: int) -> None:
        self.array = np.zeros((num_frames, len(CHANNELS)))
        self.time = np.linspace(0.0, 1.0, num_frames)
        for side in SIDES:
            for name, value in REST.items():
                self[f"{side}_{name}"] = value

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, channel: str) -> np.ndarray:
        """Return one channel (T,)."""
        return self.array[:, INDEX[channel]]

    def __setitem__(self, channel: str, value: np.ndarray | float) -> None:
        """Set one channel to values (T,) or to a constant."""
        self.array[:, INDEX[channel]] = value

    def key(self, *keys: tuple[float, Keys]) -> "Poses":
        """Interpolate channels smoothly, without overshoot, through values at times 0 to 1.

        A key does not affect channels that it does not name. A channel is constant before its first and after its last
        key.
        """
        for channel in dict.fromkeys(name for _, values in keys for name in values):
            times, values = zip(*[(time, values[channel]) for time, values in keys if channel in values], strict=True)
            if len(times) == 1:
                self[channel] = values[0]
            else:
                inside = np.clip(self.time, times[0], times[-1])
                # Monotone cubic interpolation does not overshoot.
                self[channel] = PchipInterpolator(times, values)(inside)
        return self


def arm(side: str, upper: tuple[float, float], fore: tuple[float, float] | None = None, **hand: float) -> Keys:
    """Return the keys of one arm.

    Args:
        side: "l" or "r".
        upper: (up, round) of the upper arm, see `FigureMotion`.
        fore: (up, round) of the forearm. By default the arm is stretched.
        hand: Channels of the hand.

    >>> arm("l", (90, 0), open=1)
    {'l_arm_up': 90, 'l_arm_round': 0, 'l_fore_up': 90, 'l_fore_round': 0, 'l_open': 1}
    """
    fore = upper if fore is None else fore
    keys = dict(arm_up=upper[0], arm_round=upper[1], fore_up=fore[0], fore_round=fore[1], **hand)
    return {f"{side}_{name}": value for name, value in keys.items()}


def arms(upper: tuple[float, float], fore: tuple[float, float] | None = None, **hand: float) -> Keys:
    """Return the keys of both arms, as mirror images of each other."""
    return arm("l", upper, fore, **hand) | arm("r", upper, fore, **hand)


def feet(**channels: float) -> Keys:
    """Return the keys of both feet, as mirror images of each other."""
    return {f"{side}_{name}": value for side in SIDES for name, value in channels.items()}


def rest(*sides: str) -> Keys:
    """Return the keys of hanging arms."""
    names = [name for name in REST if not name.startswith("foot")]
    return {f"{side}_{name}": REST[name] for side in sides or SIDES for name in names} | {
        f"{side}_{name}": 0.0 for side in sides or SIDES for name in ("hand_roll", "thumb", "point")
    }
