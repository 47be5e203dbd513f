"""Simulation of pushing without inertia.

Things are discs that give way to the gripper and to each other, and stop at once.
"""

import math
from dataclasses import dataclass

import numpy as np

from i2vkit.rendering.arm.arm_motion import ArmMotion
from i2vkit.rendering.arm.scene import BIN, GRIPPER, ArmScene

SUBSTEPS = 8  # number of substeps for each frame
ROUNDS = 6  # greatest number of rounds in a substep to move overlapping things apart
DRAG = 0.6  # share of the gripper's motion along a thing's edge that turns the thing
FASTEST = 0.015  # greatest displacement in a substep, so that a gripper coming down on a thing squeezes it out


@dataclass(frozen=True)
class PushTrajectory:
    """The course of events in a clip.

    Args:
        gripper: (T, 5) x, y, z, yaw, opening.
        things: (T, N, 3) x, y, angle.
    """

    gripper: np.ndarray
    things: np.ndarray


def push(scene: ArmScene, motion: ArmMotion) -> PushTrajectory:
    """Compute the exact course of a motion in a scene. It involves no random numbers."""
    path = motion.path(scene.start, SUBSTEPS)
    poses = [[thing.x, thing.y, thing.angle] for thing in scene.things]
    things = np.empty((len(path[::SUBSTEPS]), len(poses), 3))
    things[0] = poses
    for step in range(1, len(path)):
        _touch(scene, poses, path[step - 1].tolist(), path[step].tolist())
        for _ in range(ROUNDS):
            if not _part(scene, poses):
                break
        if step % SUBSTEPS == 0:
            things[step // SUBSTEPS] = poses
    return PushTrajectory(path[::SUBSTEPS], things)


def _touch(scene: ArmScene, poses: list[list[float]], before: list[float], now: list[float]) -> None:
    """Move things out of the gripper's way, and turn them as it rubs along their edges."""
    for thing, pose in zip(scene.things, poses, strict=True):
        away_x, away_y = pose[0] - now[0], pose[1] - now[1]
        distance = math.hypot(away_x, away_y)
        depth = thing.radius + GRIPPER - distance
        if depth <= 0 or now[2] >= thing.height:
            continue
        if distance < 1e-9:  # the direction is undefined, so take any
            away_x, away_y, distance = 1.0, 0.0, 1.0
        away_x, away_y = away_x / distance, away_y / distance
        shift = min(depth, FASTEST)
        pose[0] += shift * away_x
        pose[1] += shift * away_y
        # The gripper's motion along the edge of the thing drags it around.
        along = away_x * (now[1] - before[1]) - away_y * (now[0] - before[0])
        pose[2] -= DRAG * along / thing.radius


def _part(scene: ArmScene, poses: list[list[float]]) -> bool:
    """Move things off each other and off the walls, once. Return whether any thing moved."""
    moved = False
    for i, first in enumerate(poses):
        for j in range(i):
            second = poses[j]
            x, y = first[0] - second[0], first[1] - second[1]
            reach = scene.things[i].radius + scene.things[j].radius
            if abs(x) >= reach or abs(y) >= reach or (distance := math.hypot(x, y)) >= reach - 1e-6:
                continue
            x, y = (x / distance, y / distance) if distance > 1e-9 else (1.0, 0.0)
            # Both things move half of the overlap.
            half = 0.5 * min(reach - distance, FASTEST)
            first[0], first[1] = first[0] + half * x, first[1] + half * y
            second[0], second[1] = second[0] - half * x, second[1] - half * y
            moved = True
    for thing, pose in zip(scene.things, poses, strict=True):
        for axis in (0, 1):
            limit = BIN[axis] - thing.radius
            if abs(pose[axis]) > limit:
                pose[axis] = math.copysign(limit, pose[axis])
                moved = True
    return moved
