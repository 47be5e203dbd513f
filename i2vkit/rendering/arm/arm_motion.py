"""The motion of an arm: a timed path of its gripper, independent of the scene except for its start."""

import math
from dataclasses import dataclass

import numpy as np

from i2vkit.rendering.arm.scene import REACH

NUM_FRAMES = 30


@dataclass(frozen=True)
class ArmMotion:
    """A motion by targets that the gripper reaches one after the other, the last one at the end of the clip.

    Args:
        arrivals: (K,) frames at which the targets are reached, increasing to `NUM_FRAMES` - 1.
        targets: (K, 5) x, y, z, yaw in radians, opening from 0 to 1.
    """

    arrivals: np.ndarray
    targets: np.ndarray

    def path(self, start: tuple[float, ...], substeps: int = 1) -> np.ndarray:
        """Return the gripper's poses (substeps * (NUM_FRAMES - 1) + 1, 5) from `start` on.

        The path is smooth and comes to rest at each target.
        """
        times = np.arange(substeps * (NUM_FRAMES - 1) + 1) / substeps
        stops = np.vstack([[start], self.targets])
        arrivals = np.concatenate([[0.0], self.arrivals])
        # The leg of the path that each time belongs to.
        leg = np.clip(np.searchsorted(arrivals, times, side="right") - 1, 0, len(self.arrivals) - 1)
        share = (times - arrivals[leg]) / (arrivals[leg + 1] - arrivals[leg])
        # This polynomial has the least jerk between two rests.
        eased = (share**3 * (10 - 15 * share + 6 * share**2))[:, None]
        return stops[leg] + eased * (stops[leg + 1] - stops[leg])


def draw_motion(seed: int, split: int, number: int) -> ArmMotion:
    """Draw the random motion of a clip: three to five sweeps across the bin, some of them above the things."""
    rng = np.random.default_rng([seed, 2, split, number])
    legs = int(rng.integers(3, 6))
    targets, lengths = np.empty((legs, 5)), np.empty(legs)
    place, yaw = rng.uniform(-1, 1, 2), rng.uniform(-0.6, 0.6)
    for leg in range(legs):
        last, place = place, _next_place(rng, place)
        yaw = float(np.clip(yaw + rng.normal(0, 0.6), -1.4, 1.4))
        lifted = rng.random() < 0.15
        height = rng.uniform(0.08, 0.13) if lifted else rng.uniform(0.01, 0.03)
        targets[leg] = *(place * REACH), height, yaw, rng.uniform(0.1, 1.0)
        lengths[leg] = (
            rng.uniform(0.7, 1.4) * math.dist(last, place) + 0.3
        )  # the constant is for the first leg, whose start is unknown
    arrivals = np.cumsum(lengths) / lengths.sum() * (NUM_FRAMES - 1)
    # Rounding must not move the last arrival.
    arrivals[-1] = NUM_FRAMES - 1
    return ArmMotion(arrivals, targets)


def _next_place(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Return a random place in [-1, 1]^2 at least 0.7 away from `place`."""
    while True:
        candidate = rng.uniform(-1, 1, 2)
        if math.dist(candidate, place) >= 0.7:
            return candidate
