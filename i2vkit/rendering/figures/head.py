"""Heads: an egg with a face on its front, hair on the other sides, and a neck below."""

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCanvas
from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView

FALLING = ("long", "bob")  # hair styles that hang over the neck
AROUND = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
VOLUME = {
    "short": 1.07,
    "long": 1.13,
    "curly": 1.26,
    "bun": 1.06,
    "bald": 1.0,
    "ponytail": 1.08,
    "cap": 1.05,
    "bob": 1.17,
}


class _Egg:
    """The surface of a head: unit directions in the head's axes (left, up, forward) and their projection."""

    def __init__(self, identity: FigureIdentity, view: FigureView) -> None:
        self.axes = view.axes["head"]
        pitch = np.deg2rad(view.film.camera.pitch)
        self.towards = self.axes.T @ np.array(
            [0.0, np.sin(pitch), np.cos(pitch)]
        )  # direction to the camera, in the head's axes
        self.radii = np.array([identity.head_width, identity.head, 1.08 * identity.head_width])
        self.centre, self.size, self.view = view["head"], identity.head * view.scale, view

    def nearness(self, directions: np.ndarray) -> np.ndarray:
        """Return the nearness of directions, from -1 (behind) to 1 (nearest to the camera)."""
        return directions @ self.towards

    def clamp(self, directions: np.ndarray) -> np.ndarray:
        """Move directions (N, 3) on the far side to the rim."""
        # Remove the component that points away from the camera, then normalise.
        near = np.minimum(self.nearness(directions), 0.0)[:, None]
        moved = directions - near * self.towards
        return moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-6)

    def rim(self) -> np.ndarray:
        """Return directions (N, 3) at a right angle to the camera."""
        up = np.array([0.0, 1.0, 0.0]) - self.towards[1] * self.towards
        up = up / max(float(np.linalg.norm(up)), 1e-6)
        side = np.cross(up, self.towards)
        return np.cos(AROUND)[:, None] * side + np.sin(AROUND)[:, None] * up

    def offsets(self, directions: np.ndarray, swell: float = 1.0) -> np.ndarray:
        """Return pixels (N, 2) relative to the centre of the head. The egg narrows towards the chin."""
        narrow = 1.0 + 0.2 * np.minimum(directions[:, 1:2], 0.0) * np.array([1.0, 0.0, 0.55])
        shape = directions * self.radii * narrow * swell
        return self.view.scale * self.view.flat(shape @ self.axes.T)

    def spot(self, left: float, up: float) -> tuple[np.ndarray, float]:
        """Return the pixel and the nearness of a point on the face."""
        direction = np.array([[left, up, np.sqrt(max(0.0, 1.0 - left**2 - up**2))]])
        return self.centre + self.offsets(direction)[0], float(self.nearness(direction)[0])


def draw_neck(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw the neck from between the shoulders into the head."""
    base = view["neck"] - 0.01 * view.scale * view.flat_axes["chest"][1]
    top = 0.4 * view["nape"] + 0.6 * view["head"]
    width = view.scale * 0.03 * identity.girth**0.7
    canvas.limbs(base[None], top[None], [width * 1.1], [width], np.array([identity.skin]) * 0.92)


def draw_hair_behind(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw long hair down the back, or a ponytail."""
    egg, up, forward = _Egg(identity, view), view.flat_axes["head"][1], view.flat_axes["head"][2]
    if identity.hair_style == "ponytail":
        knot = view["head"] + egg.size * (0.35 * up - 0.85 * forward)
        fall = knot + egg.size * (-0.5 * forward + np.array([0.0, 0.75]))
        end = fall + egg.size * np.array([0.0, 0.9]) - 0.05 * egg.size * forward
        colours = np.array([identity.hair] * 2)
        canvas.limbs(
            np.array([knot, fall]),
            np.array([fall, end]),
            egg.size * np.array([0.24, 0.28]),
            egg.size * np.array([0.28, 0.1]),
            colours,
        )
        return
    ring = egg.offsets(egg.rim(), 1.1)
    fall = 0.06 if identity.hair_style == "long" else -0.035
    low = view["neck"] - fall * view.scale * view.flat_axes["chest"][1] - 0.3 * egg.size * view.flat_axes["chest"][2]
    canvas.hull([(view["head"] + 0.1 * egg.size * up, ring), (low, 0.62 * ring)], identity.hair)


def draw_head(canvas: FigureCanvas, identity: FigureIdentity, view: FigureView) -> None:
    """Draw head, hair and face."""
    egg = _Egg(identity, view)
    rim = egg.rim()
    ring = egg.offsets(rim)
    canvas.hull([(egg.centre, ring), (egg.centre, ring)], identity.skin)
    if identity.hair_style != "bald":
        _hair(canvas, identity, egg, rim)
    _ears(canvas, identity, egg)
    _nose(canvas, identity, egg)
    _features(canvas, identity, egg)
    if identity.hair_style == "cap":
        _cap(canvas, identity, egg)


def _hair(canvas: FigureCanvas, identity: FigureIdentity, egg: _Egg, rim: np.ndarray) -> None:
    """Draw the hair with the face cut out of it."""
    style, swell = identity.hair_style, VOLUME[identity.hair_style]
    if style == "bun":
        knot = egg.centre + egg.offsets(np.array([[0.0, 0.95, -0.75]]))[0]
        canvas.limbs(knot[None], knot[None] + 0.01, [0.36 * egg.size], [0.36 * egg.size], np.array([identity.hair]))
    # Hair reaches lower at the back of the head than at the sides.
    lowest = (-0.3 if style in FALLING else -0.12) - 0.4 * np.maximum(0.0, -rim[:, 2])
    kept = np.column_stack([rim[:, 0], np.maximum(rim[:, 1], lowest), rim[:, 2]])
    around = egg.offsets(kept, swell)
    if style == "curly":
        around *= (1.0 + 0.05 * np.cos(9.0 * AROUND))[:, None]
    canvas.hull([(egg.centre, around), (egg.centre, around)], identity.hair)
    # The face is painted over the hair, as if it were cut out.
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    side = 0.9 if style not in ("long", "bob") else 0.78
    brow, chin = (0.42, 1.0) if style != "curly" else (0.36, 1.0)
    left = side * np.cos(angles)
    up = np.where(np.sin(angles) > 0, brow, chin) * np.sin(angles) * np.where(np.sin(angles) > 0, 1.0, 0.97)
    face = np.column_stack([left, up, np.sqrt(np.maximum(0.04, 1.0 - left**2 - up**2))])
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    if egg.nearness(np.array([[0.0, -0.1, 1.0]]))[0] > -0.6:
        canvas.fill(egg.centre + egg.offsets(egg.clamp(face)), np.multiply(identity.skin, 0.86))
        lit = egg.clamp(face) * 0.94
        canvas.fill(egg.centre + egg.offsets(lit) + 0.06 * egg.size * canvas.light, np.multiply(identity.skin, 0.99))


def _ears(canvas: FigureCanvas, identity: FigureIdentity, egg: _Egg) -> None:
    """Draw the visible ears unless hair covers them."""
    if identity.hair_style in ("long", "bob", "curly"):
        return
    for left in (-1.0, 1.0):
        place = np.array([[left, -0.08, -0.12]])
        if egg.nearness(place)[0] > -0.25:
            ear = egg.centre + egg.offsets(place, 1.0)[0]
            size = 0.13 * egg.size
            up = egg.view.flat_axes["head"][1]
            canvas.limbs(
                (ear + 0.08 * egg.size * up)[None],
                (ear - 0.08 * egg.size * up)[None],
                [size],
                [size * 0.8],
                np.array([identity.skin]) * 0.95,
            )


def _nose(canvas: FigureCanvas, identity: FigureIdentity, egg: _Egg) -> None:
    """Draw the nose if it is visible."""
    bridge, near = egg.spot(0.0, 0.05)
    if near < -0.15:
        return
    tip = egg.centre + egg.offsets(np.array([[0.0, -0.2, 1.0]]), 1.17)[0]
    skin, side = np.array([identity.skin]), np.array([0.1 * egg.size, 0.0])
    canvas.fill(
        np.array([bridge, tip + side, tip + side[::-1], tip - side]),
        skin[0] * 0.72,
    )
    canvas.disc(0.15 * bridge + 0.85 * tip, 0.1 * egg.size, np.minimum(255, skin[0] * 1.03))


def _features(canvas: FigureCanvas, identity: FigureIdentity, egg: _Egg) -> None:
    """Draw eyes, brows and mouth if they face the camera."""
    dark = np.multiply(identity.hair if identity.hair_style != "bald" else (70, 54, 46), 0.7)
    for left in (-0.38, 0.38):
        eye, near = egg.spot(left, 0.08)
        if near < 0.12:
            continue
        if egg.size > 9.0:
            canvas.disc(eye, 0.125 * egg.size, (244, 240, 236))
            canvas.disc(eye, 0.095 * egg.size, (54, 40, 34))
            canvas.disc(eye - 0.035 * egg.size, 0.03 * egg.size, (250, 250, 250))
        else:
            canvas.disc(eye, 0.12 * egg.size, (40, 30, 28))
        brow = [
            egg.spot(left + aside, 0.31 - 0.5 * abs(aside) * (abs(left + aside) > 0.38))[0]
            for aside in (-0.17, 0.0, 0.17)
        ]
        canvas.stroke(np.array(brow), dark, 0.09 * egg.size)
    corners = [egg.spot(left, up) for left, up in ((-0.26, -0.52), (-0.1, -0.57), (0.1, -0.57), (0.26, -0.52))]
    if max(near for _, near in corners) > 0.25:
        seen = np.array([place for place, near in corners if near > 0.1])
        if len(seen) > 1:
            canvas.stroke(seen, np.multiply(identity.skin, (0.68, 0.45, 0.45)), 0.1 * egg.size)


def _cap(canvas: FigureCanvas, identity: FigureIdentity, egg: _Egg) -> None:
    """Draw a cap: a crown over the hair and a peak above the eyes."""
    rim = egg.rim()
    level = np.column_stack([rim[:, 0], np.maximum(rim[:, 1], 0.3), rim[:, 2]])
    around = egg.offsets(level, 1.1)
    canvas.hull([(egg.centre, around), (egg.centre, around)], identity.accent)
    angles = np.linspace(-1.15, 1.15, 9)
    inner = np.column_stack([0.95 * np.sin(angles), np.full(9, 0.33), 0.95 * np.cos(angles)])
    outer = inner * np.array([1.0, 0.85, 1.0]) + np.array([0.0, 0.0, 0.62]) * np.cos(angles)[:, None] ** 0.7
    if egg.towards[2] > -0.35:
        peak = np.concatenate([egg.offsets(inner, 1.08), egg.offsets(outer, 1.08)[::-1]])
        canvas.fill(egg.centre + peak, np.multiply(identity.accent, 0.7))
