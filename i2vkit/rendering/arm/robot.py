"""The arm: a gripper with two fingers, wrist, forearm and upper arm. It is mounted behind the bin."""

import math

import numpy as np

from i2vkit.rendering.arm.arm_canvas import ArmCanvas
from i2vkit.rendering.arm.solids import circle, prism, rectangle, turned

SHOULDER = np.array([0.10, 0.74, 0.34])
UPPER, FORE = 0.52, 0.50  # lengths
PAD, PALM, WRIST = 0.025, 0.085, 0.21  # heights above the finger tips of the pads' ends, the palm and the wrist's joint
RED, DARK, GREY, STEEL, RUBBER = (168, 36, 38), (52, 52, 58), (92, 92, 98), (206, 208, 212), (40, 40, 44)


def elbow(wrist: np.ndarray) -> np.ndarray:
    """Return the position of the elbow for a wrist (3,). It is above the line from the shoulder."""
    reach = wrist - SHOULDER
    distance = min(float(np.linalg.norm(reach)), 0.999 * (UPPER + FORE))
    along = reach / np.linalg.norm(reach)
    # The law of cosines gives the foot of the elbow on that line.
    share = (UPPER**2 - FORE**2 + distance**2) / (2 * distance)
    up = np.array([0.0, 0.0, 1.0]) - along[2] * along
    return SHOULDER + share * along + math.sqrt(max(UPPER**2 - share**2, 0.0)) * up / np.linalg.norm(up)


def joints(gripper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return wrist and elbow, (3,) each, for a gripper's pose (5,)."""
    wrist = np.array([gripper[0], gripper[1], gripper[2] + WRIST])
    return wrist, elbow(wrist)


def finger_outlines(gripper: np.ndarray) -> list[np.ndarray]:
    """Return the outlines on the floor of the two fingers, (4, 2) each."""
    gap = 0.014 + 0.022 * gripper[4]
    finger = rectangle(0.010, 0.013)
    return [turned(finger + np.array([side * gap, 0.0]), gripper[3]) + gripper[:2] for side in (-1.0, 1.0)]


def palm_outline(gripper: np.ndarray) -> np.ndarray:
    """Return the outline on the floor of the palm, (4, 2)."""
    return turned(rectangle(0.048, 0.022), gripper[3]) + gripper[:2]


def paint(canvas: ArmCanvas, gripper: np.ndarray) -> None:
    """Draw the arm over the canvas."""
    wrist, bend = joints(gripper)
    light, eye = canvas.light, np.array(canvas.camera.place)
    tip = gripper[2]
    canvas.limb(np.stack([SHOULDER, bend]), (0.062, 0.055), RED)
    canvas.balls(bend[None], np.array([0.062]), np.array([DARK], float))
    # The farther finger is drawn first.
    fingers = sorted(finger_outlines(gripper), key=lambda outline: -np.hypot(*(outline.mean(axis=0) - eye[:2])))
    for finger in fingers:
        canvas.fill(prism(finger, tip, tip + PAD, (RUBBER, RUBBER), light, eye))
        canvas.fill(prism(finger, tip + PAD, tip + PALM, (STEEL, STEEL), light, eye))
    canvas.fill(prism(palm_outline(gripper), tip + PALM, tip + 0.12, (GREY, GREY), light, eye))
    barrel = circle(12) * 0.027 + gripper[:2]
    canvas.fill(prism(barrel, tip + 0.12, tip + WRIST, (STEEL, STEEL), light, eye))
    canvas.limb(np.stack([wrist + 0.25 * (bend - wrist), bend]), (0.04, 0.052), RED)
    canvas.limb(np.stack([wrist, wrist + 0.25 * (bend - wrist)]), (0.036, 0.04), DARK)
