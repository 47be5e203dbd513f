"""The shape of a face in head units: curves in three dimensions and 68 landmarks from an identity and actions."""

from copy import copy
from dataclasses import dataclass
from functools import cache

import numpy as np

from i2vkit.rendering.faces.expressions import ActionUnits, HeadPose
from i2vkit.rendering.faces.face_identity import FaceIdentity

LID = np.linspace(-1.0, 1.0, 13)  # across an eye, left to right; includes the landmarks at -1/3 and 1/3
LIP = np.linspace(-1.0, 1.0, 25)  # across the mouth, left to right
BROW = np.linspace(0.0, 1.0, 9)  # along a brow, from the nose outwards
# The right half of the outline: from ear to chin (mirrored, it gives the 17 landmarks of the jaw), and up to the top of
# the skull.
JAW_X = np.array([1.0, 0.995, 0.975, 0.93, 0.84, 0.69, 0.49, 0.255, 0.0])
JAW_Y = np.array([-6.0, 8.0, 21.0, 33.0, 43.0, 51.0, 57.5, 61.2, 62.0])
SKULL_X = np.array([0.98, 0.9, 0.7, 0.38, 0.0])
SKULL_Y = np.array([-22.0, -40.0, -55.0, -65.0, -68.0])
PIVOT = np.array([0.0, 70.0])  # the head rolls about the top of the neck


class FaceView:
    """A scaled orthographic camera that projects the head into the picture. It is affine for every plane of the head.

    Args:
        width: The width of the picture in pixels.
        height: The height of the picture in pixels.
        head: The pose of the head.
    """

    def __init__(self, width: int, height: int, head: HeadPose = HeadPose()) -> None:  # noqa: B008 (immutable)
        self.scale = height / 240.0 * 1.12
        yaw, pitch, roll = np.radians([head.yaw, head.pitch, head.roll])
        turn = np.array(
            [
                [np.cos(yaw), 0.0, np.sin(yaw)],
                [-np.sin(yaw) * np.sin(pitch), np.cos(pitch), np.cos(yaw) * np.sin(pitch)],
            ]
        )
        spin = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        self.matrix = self.scale * spin @ turn
        self._projection = np.ascontiguousarray(self.matrix.T)
        self.centre = np.array([(width - 1) / 2.0, (height - 1) / 2.0 - 5.0 * height / 240.0])
        self.offset = self.centre + self.scale * (PIVOT - spin @ PIVOT + [head.dx, head.dy])

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (..., 2) of head points (..., 3). Whole numbers are pixel centres."""
        return points @ self._projection + self.offset

    def moved(self, corner: tuple[int, int]) -> "FaceView":
        """Return the view on a part of the picture that begins at pixel `corner` (x, y)."""
        part = copy(self)
        part.offset = self.offset - corner
        return part

    def plane(self, depth: float) -> np.ndarray:
        """Return the affine map (2, 3) that moves a picture of the resting head to this pose.

        It treats the whole picture as a plane at `depth`.
        """
        linear = self.matrix[:, :2] / self.scale
        # Points of the plane have a constant depth, which shifts them when the head turns.
        offset = self.offset + self.matrix[:, 2] * depth - linear @ self.centre
        return np.hstack([linear, offset[:, None]])


# Every curve of a face, with its number of points and its distance in front of the head (None: on the silhouette).
# Curves run from left to right in the picture, and brows from the nose outwards. The outline runs from the left ear
# over the chin to the right ear and back over the skull.
CURVES: dict[str, tuple[int, float | None]] = {
    "outline": (26, None),
    "left_brow": (9, 2.0), "right_brow": (9, 2.0),
    "left_upper_lid": (13, 0.0), "left_lower_lid": (13, 0.0), "left_iris": (1, 0.0),
    "right_upper_lid": (13, 0.0), "right_lower_lid": (13, 0.0), "right_iris": (1, 0.0),
    "bridge": (4, 10.0), "wings": (5, 8.0),
    "outer_top": (25, 3.0), "inner_top": (25, 3.0), "inner_bottom": (25, 3.0), "outer_bottom": (25, 3.0),
}  # fmt: skip
_ENDS = np.cumsum([number for number, _ in CURVES.values()]).tolist()
SLICES = {name: slice(end - number, end) for (name, (number, _)), end in zip(CURVES.items(), _ENDS, strict=True)}
_LIFTS = np.concatenate([np.full(number, lift or 0.0) for number, lift in CURVES.values()])
_LIFTS[SLICES["bridge"]] = (3.0, 8.0, 13.0, 17.0)
_LIFTS[SLICES["wings"]] = (6.0, 9.0, 11.0, 9.0, 6.0)


def _landmark_index() -> np.ndarray:
    """Return the indices of the points that are the 68 landmarks of iBUG, in their order."""
    where = {name: list(range(part.start, part.stop)) for name, part in SLICES.items()}
    parts = [("outline", range(17)), ("left_brow", (8, 6, 4, 2, 0)), ("right_brow", (0, 2, 4, 6, 8))]
    parts += [("bridge", range(4)), ("wings", range(5))]
    for side in ("left", "right"):
        parts += [(f"{side}_upper_lid", (0, 4, 8, 12)), (f"{side}_lower_lid", (8, 4))]
    parts += [("outer_top", (0, 5, 9, 12, 15, 19, 24)), ("outer_bottom", (19, 15, 12, 9, 5))]
    parts += [("inner_top", (2, 8, 12, 16, 22)), ("inner_bottom", (16, 12, 8))]
    return np.array([where[name][k] for name, chosen in parts for k in chosen])


LANDMARKS = _landmark_index()


@dataclass(frozen=True)
class FaceShape:
    """The curves of a face at one moment.

    `shape["left_brow"]` is one curve, and `CURVES` lists all names.

    Args:
        points: (N, 3) in head units or, after ``seen_by``, (N, 2) in pixels.
    """

    points: np.ndarray

    def __getitem__(self, curve: str) -> np.ndarray:
        """Return the points of one curve."""
        return self.points[SLICES[curve]]

    @property
    def landmarks(self) -> np.ndarray:
        """The 68 landmarks in iBUG order."""
        return self.points[LANDMARKS]

    def seen_by(self, view: FaceView) -> "FaceShape":
        """Return the same curves in pixels of the picture."""
        return FaceShape(view(self.points))


def face_shape(identity: FaceIdentity, actions: ActionUnits) -> FaceShape:
    """Return the curves of a person's face during facial actions."""
    plane = np.concatenate(
        [
            _outline(identity, actions),
            *(_brow(identity, actions, side) for side in (-1, 1)),
            *(curve for side in (-1, 1) for curve in _eye(identity, actions, side)),
            *_nose(identity, actions),
            *_mouth(identity, actions),
        ]
    )
    points = on_surface(plane[:, 0], plane[:, 1], _LIFTS)
    # The outline is the silhouette, which is at the depth of the head's centre.
    points[SLICES["outline"], 2] = 0.0
    return FaceShape(points)


def on_surface(x: np.ndarray, y: np.ndarray, lift: np.ndarray | float = 0.0) -> np.ndarray:
    """Return points (..., 3) on the front of the head, `lift` in front of it."""
    depth = 45.0 * np.sqrt(np.maximum(0.0, 1.0 - (x / 52.0) ** 2 - ((y - 2.0) / 80.0) ** 2)) + lift
    return np.concatenate([x[..., None], y[..., None], depth[..., None]], axis=-1)


@cache
def spline_basis(num_points: int, per_point: int, closed: bool = True) -> np.ndarray:
    """Return Catmull-Rom weights, so that `basis @ points` is a smooth curve through the points.

    The curve has `per_point` samples for each point.
    """
    t = np.arange(per_point) / per_point
    weights = 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], axis=1
    )
    segments = num_points if closed else num_points - 1
    basis = np.zeros((segments * per_point, num_points))
    for segment in range(segments):
        for k in range(4):
            index = segment + k - 1
            index = index % num_points if closed else min(max(index, 0), num_points - 1)
            basis[segment * per_point : (segment + 1) * per_point, index] += weights[:, k]
    return basis if closed else np.concatenate([basis, np.eye(num_points)[-1:]])


_BELOW = np.linspace(0.0, 1.0, 9)
_SQUARE = np.array([0, 0, 0.01, 0.05, 0.1, 0.17, 0.21, 0.13, 0])
_PUFF = 0.035 * np.array([0, 0, 0.6, 1, 0.8, 0.3, 0, 0, 0])
_SKULL = np.concatenate([SKULL_X, -SKULL_X[-2::-1]]), np.concatenate([SKULL_Y, SKULL_Y[-2::-1]])


def _outline(identity: FaceIdentity, actions: ActionUnits) -> np.ndarray:
    """Return the outline (26, 2) of the face."""
    jaw = JAW_X + (identity.jaw - 0.5) * _SQUARE + actions.lip_pull * _PUFF
    x = identity.face_width * jaw * (1.0 - 0.05 * actions.jaw_drop * _BELOW)
    y = JAW_Y * np.where(JAW_Y > 0, identity.chin / 62.0, 1.0)
    y = y + _BELOW**2.2 * (15.0 * actions.jaw_drop - 1.5 * actions.chin_raise)
    skull_x, skull_y = _SKULL
    return _curve(
        np.concatenate([-x, x[-2::-1], identity.face_width * skull_x]), np.concatenate([y, y[-2::-1], skull_y])
    )


_INNER, _OUTER, _ARCH = (1.0 - BROW) ** 1.6, BROW**1.1, np.sin(np.pi * BROW**1.3)


def _brow(identity: FaceIdentity, actions: ActionUnits, side: int) -> np.ndarray:
    """Return a brow (9, 2), from the nose outwards."""
    x = 8.0 + BROW * (identity.eye_distance + identity.eye_width - 4.5) - 3.2 * actions.brow_lower * _INNER
    y = 0.8 * _OUTER - identity.brow_height - identity.brow_arch * _ARCH
    y -= 8.5 * actions.brow_inner * _INNER + 7.5 * actions.brow_outer * (0.25 + 0.75 * _OUTER) * (1.0 - 0.25 * _OUTER)
    y += actions.brow_lower * (3.0 + 4.5 * _INNER) + 1.5 * actions.nose_wrinkle * _INNER
    return _curve(side * x, y)


_LID_ARCH = (1.0 - np.abs(LID) ** 2.4) ** 0.8
_LOWER_ARCH = _LID_ARCH**1.2


def _eye(identity: FaceIdentity, a: ActionUnits, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the upper lid and the lower lid, (13, 2) each, and the centre of the iris (1, 2)."""
    outward = side * LID
    wide = 1.0 + 0.5 * a.eye_wide - 0.45 * a.lid_tight - 0.15 * a.cheek_raise
    upper = -0.6 * identity.eye_height * wide * (1.0 - a.lid_droop * (0.22 + 0.3 * outward))
    lower = 0.4 * identity.eye_height * (1.0 + 0.2 * a.eye_wide - 0.5 * a.lid_tight - 0.65 * a.cheek_raise)
    # A blink moves the upper lid down to the lower one.
    upper = (1.0 - a.blink) * upper + a.blink * lower * 0.85
    slope = (identity.eye_tilt + 0.9 * a.lid_droop) * outward
    x = side * identity.eye_distance + identity.eye_width * LID
    iris = np.array([[side * (identity.eye_distance - 0.3), -0.09 * identity.eye_height]])
    return _curve(x, upper * _LID_ARCH + slope), _curve(x, lower * _LOWER_ARCH + slope), iris


def _nose(identity: FaceIdentity, a: ActionUnits) -> tuple[np.ndarray, np.ndarray]:
    """Return the bridge of the nose (4, 2) from root to tip, and its underside (5, 2)."""
    lift = 4.0 * a.nose_wrinkle + 0.8 * a.lip_pull
    length = identity.nose_length
    bridge = np.array([-1.0, 0.3 * length, 0.6 * length, 0.86 * length]) - lift * np.array([0.0, 0.2, 0.5, 0.6])
    spread = identity.nose_width * (1.0 + 0.15 * a.nose_wrinkle + 0.12 * a.lip_pull + 0.06 * a.lip_stretch)
    under = length + np.array([-0.8, 0.8, 1.6, 0.8, -0.8]) - lift * np.array([1.1, 0.7, 0.5, 0.7, 1.1])
    return _curve(np.zeros(4), bridge), _curve(spread * np.array([-0.95, -0.45, 0.0, 0.45, 0.95]), under)


_BEND, _GAP, _ROUND = np.abs(LIP) ** 1.9, (1.0 - np.abs(LIP) ** 2.6) ** 0.75, (1.0 - LIP**2) ** 0.7
_BOW = (1.0 - LIP**2) ** 0.8 * (
    1.0 + 0.25 * np.exp(-(((np.abs(LIP) - 0.25) / 0.16) ** 2)) - 0.18 * np.exp(-((LIP / 0.12) ** 2))
)


def _mouth(identity: FaceIdentity, a: ActionUnits) -> list[np.ndarray]:
    """Return the four curves of the lips (25, 2), from top to bottom.

    The corners come first, then the gap between the lips, then their thickness.
    """
    centre = identity.mouth_height - 0.7 * a.lip_raise + 1.0 * a.jaw_drop - 1.8 * a.chin_raise
    uneven = 1.0 + a.skew * LIP
    half = identity.mouth_width * (
        1.0 + (0.3 * a.lip_pull + 0.34 * a.lip_stretch) * uneven - 0.2 * a.jaw_drop + 0.04 * a.lip_press
    )
    corner = (7.5 * a.lip_depress - 9.5 * a.lip_pull) * uneven + 1.5 * a.lip_stretch + 3.5 * a.jaw_drop - 0.6
    middle = centre + corner * _BEND + 1.2 * a.lip_pull - 1.5 * a.lip_depress
    raised = (1.2 * a.jaw_drop + 4.8 * a.lip_raise + 1.6 * a.lips_part * (1 + a.lip_stretch)) * _GAP
    lowered = (16.5 * a.jaw_drop + 3.6 * a.lips_part * (1 + 0.5 * a.lip_stretch) + 1.2 * a.lip_raise) * _GAP
    thin = (1.0 - 0.72 * a.lip_press) * (1.0 - 0.22 * a.lip_pull - 0.15 * a.lip_stretch)
    upper = identity.upper_lip * thin * (1.0 - 0.2 * a.lip_raise) * _BOW
    lower = identity.lower_lip * thin * (1.0 + 0.25 * a.chin_raise - 0.15 * a.jaw_drop) * _ROUND
    x = half * LIP
    return [_curve(x, middle + shift) for shift in (-raised - upper, -raised, lowered, lowered + lower)]


def _curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Join x and y (N,) to points (N, 2)."""
    return np.concatenate([x[:, None], y[:, None]], axis=1)
