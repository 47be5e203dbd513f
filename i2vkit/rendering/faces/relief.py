"""Soft light and shade that move with the face: sockets, nose, cheeks, folds and wrinkles.

They are drawn at half the size and blurred.
"""

import cv2
import numpy as np

from i2vkit.rendering.faces.expressions import ActionUnits
from i2vkit.rendering.faces.face_geometry import FaceShape, FaceView, on_surface
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.painting import fill_corners, ribbon, taper

NEUTRAL = 128  # the value that leaves the skin as it is
ReliefStroke = tuple[float, ...]


class Relief:
    """A half-size picture of gains: 128 keeps the skin, less darkens it, more lightens it.

    Strokes are collected, then drawn.
    """

    def __init__(self, view: FaceView, height: int, width: int) -> None:
        self.view, self.size = view, (width, height)
        self.gains: np.ndarray = np.full((height // 2, width // 2, 3), NEUTRAL, dtype=np.uint8)
        self._strokes: list[ReliefStroke] = []
        self._strengths: list[float] = []

    def stroke(self, x: ReliefStroke, y: ReliefStroke, width: float, strength: float, lift: float = 0.0) -> None:
        """Add a stroke along five head points (x, y). A `strength` above 0 darkens, below 0 lightens.

        Weak strokes are left out.
        """
        if abs(strength) >= 0.025:
            self._strokes.append((*x, *y, width, lift))
            self._strengths.append(strength)

    def soften(self, sigma: float) -> None:
        """Draw the collected strokes and blur the picture. `sigma` is in head units."""
        strokes = np.array(self._strokes)
        # (strokes, 5, 3) -> (strokes, 5, 2), at half the size
        pixels = self.view(on_surface(strokes[:, :5], strokes[:, 5:10], strokes[:, 11:])) * 0.5 - 0.25
        widths = strokes[:, 10:11] * (0.5 * self.view.scale) * taper(5, 0.3, 0.3)
        for corners, strength in zip(fill_corners(ribbon(pixels, widths)), self._strengths, strict=True):
            cv2.fillPoly(self.gains, [corners], _gain(strength), lineType=cv2.LINE_AA, shift=4)
        self._strokes, self._strengths = [], []
        self.gains = cv2.GaussianBlur(self.gains, (0, 0), sigma * self.view.scale * 0.5)

    def apply(self, skin: np.ndarray) -> np.ndarray:
        """Return the skin (H, W, 3) with light and shade."""
        # Gains are smooth, so half the resolution is enough.
        gains = cv2.resize(self.gains, self.size, interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(skin, gains, scale=1.0 / NEUTRAL)


def paint_relief(relief: Relief, identity: FaceIdentity, actions: ActionUnits, shape: FaceShape) -> None:
    """Paint all soft light and shade: first the broad forms, then the folds, which stay sharper."""
    for side in (-1, 1):
        _broad(relief, identity, actions, side)
    relief.soften(2.2)
    _forehead(relief, identity, actions)
    _nose(relief, identity, actions, shape)
    for side in (-1, 1):
        _folds(relief, identity, actions, shape, side)
    _chin(relief, actions, shape)
    relief.soften(1.0)


def _gain(strength: float) -> tuple[float, float, float]:
    # Shade on skin is warm, so green and blue fade faster than red.
    """Return the gain of red, green and blue for a strength."""
    return NEUTRAL * (1.0 - 0.66 * strength), NEUTRAL * (1.0 - strength), NEUTRAL * (1.0 - 0.97 * strength)


def _mirror(side: int, *x: float) -> ReliefStroke:
    """Return x on the left (side -1) or the right (side 1)."""
    return tuple(side * value for value in x)


def _broad(relief: Relief, identity: FaceIdentity, a: ActionUnits, side: int) -> None:
    """Add the broad forms of one side: eye socket, nose and cheek."""
    away = 1.0 - 0.6 * side * (1 if identity.light[0] > 0 else -1)  # the far side of the nose is darker
    d, w, n = identity.eye_distance, identity.nose_width, identity.nose_length
    lid = -0.75 * identity.eye_height - 1.5
    relief.stroke(
        _mirror(side, d - 10, d - 5, d, d + 5, d + 10), (lid + 1.5, lid, lid - 0.5, lid, lid + 1.5), 5.0, 0.14
    )
    nose = _mirror(side, 0.6 * w, 0.66 * w, 0.74 * w, 0.86 * w, 1.05 * w)
    relief.stroke(nose, (-7.0, 2.0, 10.0, 17.0, n - 4), 5.5, 0.12 * away)
    lift = 6.0 * a.cheek_raise + 1.5 * a.lip_pull
    high = 20.0 - lift
    relief.stroke(
        _mirror(side, 13, 18, 23, 28, 33),
        (high + 2.5, high + 0.8, high, high + 0.4, high + 1.6),
        9.0,
        -0.05 - 0.1 * max(a.cheek_raise, 0.8 * a.lip_pull),
    )
    low = 4.0 * a.jaw_drop
    relief.stroke(
        _mirror(side, 33, 32, 30, 28, 26),
        (low + 24, low + 29, low + 34, low + 39, low + 44),
        9.0,
        0.08 * a.jaw_drop + 0.08 * a.lip_stretch,
    )


def _forehead(relief: Relief, identity: FaceIdentity, a: ActionUnits) -> None:
    """Add the wrinkles of the forehead and between the brows."""
    inner_only = max(0.0, a.brow_inner - a.brow_outer)
    for row, y in enumerate((-28.0, -34.0, -40.0)):
        x = 24.0 - 3.0 * row
        strength = (0.3 + 0.2 * identity.age) * a.brow_outer + 0.1 * max(0.0, identity.age - 0.5)
        relief.stroke((-x, -0.5 * x, 0.0, 0.5 * x, x), (y + 1, y - 1, y + 0.5, y - 1, y + 1), 1.7, strength)
        relief.stroke((-11, -6, 0, 6, 11), (y + 3, y + 5, y + 5.5, y + 5, y + 3), 1.8, 0.3 * inner_only)
    drop = 2.0 * a.brow_lower
    for side in (-1, 1):
        furrow = _mirror(side, 4.8, 4.0, 4.0, 4.8, 6.2)
        relief.stroke(
            furrow,
            (drop - 21, drop - 17, drop - 13, drop - 9, drop - 5),
            2.2,
            0.46 * a.brow_lower + 0.05 * identity.age,
        )


def _nose(relief: Relief, identity: FaceIdentity, a: ActionUnits, shape: FaceShape) -> None:
    """Add the light on the bridge, the tip and the wings of the nose, and its wrinkles."""
    toward = 1.0 if identity.light[0] > 0 else -1.0
    top, _, mid, tip = shape["bridge"][:, 1].tolist()
    relief.stroke((0.8 * toward,) * 5, (top, 0.5 * (top + mid), mid, 0.5 * (mid + tip), tip), 3.0, -0.14, lift=10)
    relief.stroke(tuple(toward + x for x in (-2.5, -1.2, 0, 1.2, 2.5)), (tip,) * 5, 4.0, -0.14, lift=15)
    wings = shape["wings"].tolist()
    relief.stroke(
        tuple(0.95 * point[0] for point in wings), tuple(point[1] + 1.8 for point in wings), 3.2, 0.34, lift=7
    )
    for y in (-4.0, 0.2, 4.4):
        relief.stroke(
            (-5.0, -2.5, 0.0, 2.5, 5.0), (y + 1.2, y + 0.3, y, y + 0.3, y + 1.2), 1.5, 0.36 * a.nose_wrinkle, lift=6
        )
    for side in (-1, 1):
        for y in (4.0, 8.5):
            relief.stroke(
                _mirror(side, 5, 6.5, 8, 9.5, 10.5),
                (y, y + 0.3, y + 1, y + 2.3, y + 4),
                1.6,
                0.4 * a.nose_wrinkle,
                lift=4,
            )
        w, low = identity.nose_width, wings[2][1]
        wing = _mirror(side, 0.85 * w, 1.1 * w, 1.24 * w, 1.2 * w, 1.0 * w)
        relief.stroke(wing, (low - 9, low - 7.6, low - 5.2, low - 2.8, low - 0.5), 1.6, 0.28, lift=5)


def _folds(relief: Relief, identity: FaceIdentity, a: ActionUnits, shape: FaceShape, side: int) -> None:
    """Add the folds of one side: beside the mouth, at its corner, under the eye and beside it."""
    name, end = ("right", -1) if side > 0 else ("left", 0)
    cx, cy, _ = shape["outer_top"][end].tolist()
    wx, wy, _ = shape["wings"][end].tolist()
    wx, out = abs(wx), abs(cx)
    fold = 0.02 + 0.14 * identity.age**1.5 + 0.4 * max(a.lip_pull, 0.95 * a.lip_raise, 0.45 * a.lip_stretch)
    x = (wx + 2, 0.75 * wx + 0.25 * out + 4, 0.4 * wx + 0.6 * out + 5.5, out + 5, out + 5.5)
    y = (wy - 4, 0.75 * wy + 0.25 * cy - 2, 0.45 * wy + 0.55 * cy - 1.5, cy - 2, cy + 3.5)
    relief.stroke(_mirror(side, *x), y, 2.4, fold)
    corner = tuple(cx + side * shift for shift in (0.5, 1.2, 1.9, 2.3, 2.5))
    relief.stroke(corner, (cy - 1.8, cy - 0.9, cy, cy + 0.9, cy + 1.8), 2.4, 0.1 + 0.3 * a.lip_pull)
    down = tuple(cx + side * shift for shift in (1.5, 2.8, 4.0, 4.9, 5.5))
    relief.stroke(
        down,
        (cy + 1.5, cy + 3.5, cy + 6, cy + 8.5, cy + 11),
        2.4,
        0.4 * a.lip_depress + 0.1 * max(0.0, identity.age - 0.3),
    )
    lid = shape[f"{name}_lower_lid"][2:11:2].tolist()
    bag = 0.08 + 0.16 * identity.age**1.5 + 0.3 * max(a.cheek_raise, a.lid_tight)
    relief.stroke(tuple(point[0] for point in lid), tuple(point[1] + 3.6 for point in lid), 2.0, bag)
    start = identity.eye_distance + identity.eye_width + 2.5
    crow = _mirror(side, start, start + 1.7, start + 3.5, start + 5.2, start + 7)
    for slope in (-0.75, -0.1, 0.55):
        relief.stroke(
            crow,
            tuple(slope * k * 1.75 + 0.5 for k in range(5)),
            1.3,
            0.42 * a.cheek_raise * (0.5 + 0.5 * identity.age),
        )


def _chin(relief: Relief, a: ActionUnits, shape: FaceShape) -> None:
    """Add the shade under the lower lip, on the chin and above the upper lip."""
    low, top, nose = shape["outer_bottom"][12, 1], shape["outer_top"][12, 1], shape["wings"][2, 1]
    relief.stroke(
        (-9, -4.5, 0, 4.5, 9), (low + 3.4, low + 2.6, low + 2.4, low + 2.6, low + 3.4), 3.2, 0.18 + 0.1 * a.chin_raise
    )
    relief.stroke((-5, -2.5, 0, 2.5, 5), (low + 9.0,) * 5, 3.0, 0.26 * a.chin_raise)
    relief.stroke((0.0,) * 5, tuple(nose + 2.5 + (top - nose - 3.5) * k / 4 for k in range(5)), 2.4, 0.08)
