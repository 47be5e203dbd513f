"""Building blocks of actions: steps with planted feet, swinging arms, jumping jacks, and sway."""

import numpy as np

from i2vkit.rendering.figures.poses import Poses

Values = np.ndarray


def smooth(share: Values) -> Values:
    """Return a smooth step from 0 to 1, constant outside.

    >>> smooth(np.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def hump(share: Values) -> Values:
    """Return a soft hill of height 1 between 0 and 1, and 0 outside."""
    return np.sin(np.pi * np.clip(share, 0.0, 1.0)) ** 2


def step(
    poses: Poses, side: str, phase: Values, stride: float, duty: float, lift: float, start: float, axis: str = "z"
) -> None:
    """Let one foot step. It is planted for `duty` of each cycle, and moves a `stride` ahead in the rest.

    The body is above the foot in the middle of its stance. Lengths are in leg lengths.

    Args:
        poses: The poses whose channels of the foot are set.
        side: "l" or "r".
        phase: The cycles (T,) since this foot was first put down.
        stride: The distance that the body moves in a cycle.
        duty: The share of the cycle that the foot is on the ground.
        lift: The height to which the foot is lifted behind.
        start: The position of the body at phase 0.
        axis: The axis along which the body moves.
    """
    cycle = np.floor(phase)
    # The share of the swing, 0 while the foot is planted.
    swing = np.clip((phase - cycle - duty) / (1.0 - duty), 0.0, 1.0)
    planted = start + (cycle + 0.5 * duty) * stride
    poses[f"{side}_foot_{axis}"] = planted + stride * smooth(swing)
    # The foot is highest early in its swing.
    poses[f"{side}_foot_y"] = lift * np.sin(np.pi * swing**0.75) ** 2


def roll_off(poses: Poses, side: str, phase: Values, duty: float, heel: float, toe: float) -> None:
    """Rotate one foot over its ball: heel strike, heel up before it leaves the ground, toes up before it lands."""
    within = phase - np.floor(phase)
    pitch = (
        heel * smooth((within - 0.6 * duty) / (0.45 * duty)) * (1.0 - smooth((within - duty) / (0.6 * (1.0 - duty))))
    )
    pitch -= toe * smooth((within - duty - 0.45 * (1.0 - duty)) / (0.45 * (1.0 - duty)))
    pitch -= toe * (1.0 - smooth(within / (0.18 * duty)))
    poses[f"{side}_foot_pitch"] = pitch


def swing_arms(poses: Poses, phase: Values, swing: float, bend: float, pump: float, middle: float = 4.0) -> None:
    """Swing the arms against the legs.

    Args:
        poses: The poses whose channels of the arms are set.
        phase: The cycles (T,) of the left foot.
        swing: The degrees of the upper arms to each side of the middle.
        bend: The degrees of the elbows.
        pump: The degrees by which the elbows bend more in front.
        middle: The degrees of the upper arms in the middle.
    """
    for side, shift in (("l", 0.5), ("r", 0.0)):
        wave = np.cos(2.0 * np.pi * (phase + shift))
        upper = middle + swing * wave
        poses[f"{side}_arm_up"], poses[f"{side}_arm_round"] = upper, 82.0
        poses[f"{side}_fore_up"], poses[f"{side}_fore_round"] = upper + bend + pump * wave, 94.0


def jumping_jacks(poses: Poses, phase: Values, high: float, reach: float, raised: float) -> None:
    """Jump with feet apart and arms up, and back, once in each cycle. Feet move sideways only in the air.

    Args:
        poses: The poses whose channels are set.
        phase: The cycles (T,).
        high: The height of the jumps, in leg lengths.
        reach: The distance outwards at which each foot lands, in leg lengths.
        raised: The degrees by which the arms are raised.
    """
    within = phase - np.floor(phase)
    up = 0.5 - 0.5 * np.cos(2.0 * np.pi * phase)
    # Feet go apart in the first jump of the cycle and together in the second.
    apart = smooth((within - 0.08) / 0.3) - smooth((within - 0.58) / 0.3)
    air = hump((within - 0.08) / 0.3) + hump((within - 0.58) / 0.3)
    crouch = hump((within + 0.06) / 0.2) + hump((within - 0.94) / 0.2) + hump((within - 0.36) / 0.26)
    for side in "lr":
        poses[f"{side}_foot_x"] = 0.02 + reach * apart
        poses[f"{side}_foot_y"], poses[f"{side}_foot_pitch"] = 0.75 * high * air, 30.0 * air
        poses[f"{side}_arm_up"], poses[f"{side}_fore_up"] = 12.0 + raised * up, 14.0 + 166.0 * up
        poses[f"{side}_arm_round"] = poses[f"{side}_fore_round"] = 6.0
        poses[f"{side}_open"] = 0.9
    poses["y"] = high * air - 0.075 * crouch - 0.06 * apart


def sway(poses: Poses, rng: np.random.Generator, fps: float, amount: float = 1.0) -> None:
    """Add slow drifts of head and chest, because nobody stands perfectly still.

    `amount` is a factor of their strength.
    """
    seconds = np.arange(len(poses)) / fps
    for channel, degrees in (("nod", 2.5), ("turn", 4.0), ("tilt", 1.5), ("lean", 0.8), ("twist", 1.5)):
        rate, phase = rng.uniform(1.0, 3.0), rng.uniform(0.0, 2.0 * np.pi)
        poses[channel] = poses[channel] + amount * rng.normal(0.0, degrees) * np.sin(rate * seconds + phase)
