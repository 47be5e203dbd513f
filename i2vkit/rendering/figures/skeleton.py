"""The skeleton: the joints in space of a person in a motion. Planted feet stay in place."""

from dataclasses import dataclass

import numpy as np

from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.poses import SIDES, FigureMotion

SIGN = {"l": 1.0, "r": -1.0}  # x of the person's left and right
PENN_JOINTS = (
    "head",
    *(f"{side}_{name}" for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in SIDES),
)
UP, FORWARD = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class PosedBody:
    """A body over a clip: points (T, 3) by name, and axes (T, 3, 3) of pelvis, waist, chest and head.

    The columns of the axes are left, up and forward. Units are the average body height. x points to the right of the
    picture, y up from the ground, and z towards the camera.
    """

    points: dict[str, np.ndarray]
    axes: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a point (T, 3)."""
        return self.points[name]


def rotation(axis: int, degrees: np.ndarray) -> np.ndarray:
    """Return right-handed rotations (..., 3, 3) about x (0), y (1) or z (2)."""
    angle = np.deg2rad(np.asarray(degrees, dtype=np.float64))
    matrix = np.zeros((*angle.shape, 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def direction(up: np.ndarray, around: np.ndarray, sign: float) -> np.ndarray:
    """Return the direction (T, 3) of a limb from its elevation and azimuth in degrees (see `FigureMotion`)."""
    up, around = np.deg2rad(up), np.deg2rad(around)
    return np.stack([sign * np.sin(up) * np.cos(around), -np.cos(up), np.sin(up) * np.sin(around)], axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def turned(matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotate vectors (T, 3), or one vector (3,), by matrices (T, 3, 3)."""
    return np.einsum("tij,tj->ti", matrix, np.broadcast_to(vectors, (len(matrix), 3)))


def two_bones(
    start: np.ndarray, end: np.ndarray, first: float, second: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle joint and the end (T, 3) of two bones from `start` towards `end`, bent to the side of `pole`.

    If `end` is out of reach, the bones end before it.
    """
    along = unit(end - start)
    reach = np.linalg.norm(end - start, axis=-1, keepdims=True)
    # Keep a slight bend, because the direction of a straight limb's joint is undefined.
    reach = np.clip(reach, abs(first - second) * 1.02 + 1e-6, (first + second) * 0.9995)
    # The law of cosines gives the foot of the middle joint on the line from start to end.
    share = (first**2 - second**2 + reach**2) / (2.0 * reach)
    aside = unit(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    middle = start + share * along + np.sqrt(np.maximum(first**2 - share**2, 0.0)) * aside
    return middle, start + reach * along


def pose_body(identity: FigureIdentity, motion: FigureMotion) -> PosedBody:
    """Return the body of a person in every frame of a motion."""
    points: dict[str, np.ndarray] = {}
    pelvis = rotation(1, motion["yaw"]) @ rotation(0, motion["pitch"]) @ rotation(2, motion["roll"])
    root = _place_feet_and_hips(identity, motion, pelvis, points)
    for side in SIDES:
        pole = unit(points[f"{side}_heading"] + 0.6 * pelvis[..., 2])
        hip = root + SIGN[side] * identity.hips * pelvis[..., 0]
        knee, ankle = two_bones(hip, points[f"{side}_ankle"], identity.thigh, identity.shin, pole)
        points |= {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}
    # The waist takes part of the rotation of the chest, which curves the spine.
    half = (
        pelvis
        @ rotation(0, 0.4 * motion["bend"])
        @ rotation(2, 0.4 * motion["lean"])
        @ rotation(1, 0.4 * motion["twist"])
    )
    chest = pelvis @ rotation(0, motion["bend"]) @ rotation(2, motion["lean"]) @ rotation(1, motion["twist"])
    head = chest @ rotation(1, motion["turn"]) @ rotation(0, motion["nod"]) @ rotation(2, motion["tilt"])
    points["pelvis"] = root
    points["waist"] = root + 0.42 * identity.spine * half[..., 1]
    points["neck"] = points["waist"] + 0.58 * identity.spine * chest[..., 1]
    nape = points["neck"] + identity.neck * unit(chest[..., 1] + head[..., 1] + 0.25 * chest[..., 2])
    points["nape"] = nape
    points["head"] = nape + 0.75 * identity.head * head[..., 1] + 0.12 * identity.head * head[..., 2]
    _place_arms(identity, motion, chest, points)
    facing = rotation(1, np.full(len(motion), motion.heading))
    return PosedBody(
        {name: turned(facing, point) for name, point in points.items()},
        {"pelvis": facing @ pelvis, "waist": facing @ half, "chest": facing @ chest, "head": facing @ head},
    )


def _place_feet_and_hips(
    identity: FigureIdentity, motion: FigureMotion, pelvis: np.ndarray, points: dict
) -> np.ndarray:
    """Add balls, toes, heels and ankles to the points, and return the middle of the hips.

    The hips are lowered if a foot would be out of reach.
    """
    leg = identity.leg
    root = np.stack([motion["x"], motion["y"], motion["z"]], axis=-1) * leg + UP * (identity.ankle + leg)
    for side in SIDES:
        sign = SIGN[side]
        yaw = rotation(1, sign * motion[f"{side}_foot_yaw"])
        foot = yaw @ rotation(0, motion[f"{side}_foot_pitch"])
        place = np.stack([motion[f"{side}_foot_{axis}"] for axis in "xyz"], axis=-1) * leg * np.array([sign, 1.0, 1.0])
        ball = place + np.array([sign * identity.hips, 0.0, identity.foot])
        # A foot with its toes up stands on its heel, which lifts the ball.
        ball += 1.3 * identity.foot * np.sin(np.deg2rad(np.maximum(-motion[f"{side}_foot_pitch"], 0.0)))[:, None] * UP
        ankle = ball + turned(foot, np.array([0.0, identity.ankle, -identity.foot]))
        points[f"{side}_ball"], points[f"{side}_ankle"] = ball, ankle
        points[f"{side}_heel"] = ball + turned(foot, np.array([0.0, 0.0, -1.3 * identity.foot]))
        flat = yaw @ rotation(
            0, np.minimum(0.0, motion[f"{side}_foot_pitch"]) + 0.35 * np.maximum(0.0, motion[f"{side}_foot_pitch"])
        )
        points[f"{side}_toe"] = ball + turned(flat, np.array([0.0, 0.0, 0.5 * identity.foot]))
        points[f"{side}_heading"] = yaw[..., 2]
        hip = root + sign * identity.hips * pelvis[..., 0]
        aside = np.sum((hip - ankle)[:, [0, 2]] ** 2, axis=-1)
        highest = ankle[:, 1] + np.sqrt(np.maximum((0.999 * leg) ** 2 - aside, 0.0))
        # A leg of fixed length limits the height of its hip above the ankle.
        root[:, 1] -= np.maximum(hip[:, 1] - highest, 0.0)
    return root


def _place_arms(identity: FigureIdentity, motion: FigureMotion, chest: np.ndarray, points: dict) -> None:
    """Add the points of shoulders, arms, hands and prop."""
    prop = turned(chest, direction(motion["prop_up"], motion["prop_round"], -1.0))
    grip = np.stack([motion[f"grip_{axis}"] for axis in "xyz"], axis=-1) * identity.arm
    points["grip"], points["prop"] = points["neck"] + turned(chest, grip), prop
    for side in SIDES:
        sign, up, around = SIGN[side], motion[f"{side}_arm_up"], motion[f"{side}_arm_round"]
        # Shoulders rise with the upper arms, as the collar bones turn.
        lift = np.deg2rad(np.clip(0.32 * (np.maximum(up, 0.0) - 60.0), 0.0, 32.0) - 12.0)
        collar = np.stack([sign * np.cos(lift), np.sin(lift), np.zeros_like(lift)], axis=-1)
        shoulder = points["neck"] + identity.shoulders * turned(chest, collar)
        if motion.two_handed:
            # Hands are wide apart on a barbell, and one above the other on a grip.
            wide = motion.prop == "barbell"
            share = -sign * 0.42 * identity.arm if wide else (0.0 if side == "l" else 0.55 * identity.hand)
            pole = turned(chest, np.array([sign * 0.7, -0.8, -0.25]))
            elbow, wrist = two_bones(
                shoulder, points["grip"] + share * prop, identity.upper_arm, identity.forearm, pole
            )
            fore = unit(wrist - elbow)
        else:
            elbow = shoulder + identity.upper_arm * turned(chest, direction(up, around, sign))
            fore = turned(chest, direction(motion[f"{side}_fore_up"], motion[f"{side}_fore_round"], sign))
            wrist = elbow + identity.forearm * fore
        points |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}
        points[f"{side}_fingers"] = fore
        points[f"{side}_thumb"] = _thumb_side(fore, sign * chest[..., 0], chest, sign * motion[f"{side}_hand_roll"])


def _thumb_side(fore: np.ndarray, outward: np.ndarray, chest: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Return the direction of the thumb's edge of the hand.

    It is forward on a hanging arm, and up on an arm that is held forward.
    """
    swing = np.cross(fore, outward) * np.sign(np.sum(outward * chest[..., 0], axis=-1, keepdims=True))
    wish = swing + 0.45 * (chest[..., 1] + chest[..., 2])
    side = unit(wish - np.sum(wish * fore, axis=-1, keepdims=True) * fore)
    angle = np.deg2rad(roll)[:, None]
    return np.cos(angle) * side + np.sin(angle) * np.cross(fore, side)
