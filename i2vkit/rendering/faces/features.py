"""Eyes, brows, nostrils, mouth and ears, drawn sharply on every frame."""

from functools import cache

import numpy as np

from i2vkit.rendering.faces.expressions import ActionUnits
from i2vkit.rendering.faces.face_geometry import FaceShape, FaceView
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.painting import blend, disc, fill, ribbon, shade, taper

LASH = (40, 28, 28)
SCLERA = (240, 236, 230)
TEETH = (246, 242, 232)
GUMS = (88, 30, 36)
TONGUE = (186, 92, 94)
PUPIL = (18, 14, 16)


@cache
def _ears(width: float, size: float) -> np.ndarray:
    """Return two ears and their hollows (4, 24, 3), the left ones first."""
    angle = np.linspace(0.0, 2.0 * np.pi, 25)[:-1]
    ears = np.zeros((4, 24, 3))
    for side in (-1, 1):
        ear = np.stack(
            [6.5 * size * np.cos(angle) + side * 0.8 * np.sin(angle), 13.0 * size * np.sin(angle), 0.0 * angle], axis=1
        )
        ears[1 + side] = ear + np.array([side * (width + 1.5), 4.0, -4.0])
        ears[2 + side] = ear * (0.5, 0.6, 1.0) + (side * (width + 2.7), 3.0, -4.0)
    return ears


def paint_ears(image: np.ndarray, view: FaceView, identity: FaceIdentity) -> None:
    """Paint the ears, half hidden by the head."""
    left, left_hollow, right, right_hollow = view(_ears(identity.face_width, identity.ear))
    light = 0.1 if identity.light[0] > 0 else -0.1
    for ear, hollow, tone in ((left, left_hollow, 0.86 - light), (right, right_hollow, 0.86 + light)):
        fill(image, ear, colour=shade(identity.skin, tone))
        fill(image, hollow, colour=tuple(tone * c * k for c, k in zip(identity.skin, (0.84, 0.7, 0.67), strict=True)))


_BROW_WIDTHS = np.array([0.75, 1.0, 1.08, 1.05, 0.98, 0.88, 0.72, 0.5, 0.12])


def paint_brows(image: np.ndarray, scale: float, identity: FaceIdentity, seen: FaceShape) -> None:
    """Paint the brows: thick at the nose, thin at the temple, darker in the middle."""
    lines = np.stack([seen["left_brow"], seen["right_brow"]])
    widths = identity.brow_thickness * scale * _BROW_WIDTHS
    fill(image, *ribbon(lines, widths), colour=identity.brow_colour)
    fill(image, *ribbon(lines[:, 1:-1], 0.45 * widths[1:-1]), colour=shade(identity.brow_colour, 0.8))


_WING = np.array([[(0, 0), (-1.6, -0.7), (-3.2, -2.0)], [(0, 0), (1.6, -0.7), (3.2, -2.0)]])


def paint_eyes(image: np.ndarray, scale: float, identity: FaceIdentity, actions: ActionUnits, seen: FaceShape) -> None:
    """Paint the eyes with white, iris, pupil and glint inside the lids, then lid lines, creases and lashes."""
    above = np.stack([seen["left_upper_lid"], seen["right_upper_lid"]])
    below = np.stack([seen["left_lower_lid"], seen["right_lower_lid"]])
    if actions.blink < 0.95:
        for k, name in enumerate(("left_iris", "right_iris")):
            _eyeball(image, above[k], below[k], seen[name][0], scale, identity)
    fill(image, *ribbon(below, scale * taper(13, 0.2, 0.2, 0.55)), colour=shade(identity.skin, 0.5))
    outer = 0.5 + 0.9 * identity.lashes
    fill(image, *ribbon(above, scale * np.stack([taper(13, outer, 0.5, 1.5), taper(13, 0.5, outer, 1.5)])), colour=LASH)
    gap = scale * (2.6 - 0.9 * actions.lid_tight + 0.6 * actions.eye_wide)
    fill(
        image, *ribbon(above[:, 1:-1] - (0.0, gap), scale * taper(11, 0.1, 0.1, 0.9)), colour=shade(identity.skin, 0.6)
    )
    if identity.lashes > 0.5:
        tips = above[(0, 1), (0, -1)][:, None]
        fill(image, *ribbon(tips + scale * _WING, scale * np.array([1.5, 1.0, 0.1])), colour=LASH)


def _eyeball(
    image: np.ndarray, above: np.ndarray, below: np.ndarray, centre: np.ndarray, scale: float, identity: FaceIdentity
) -> None:
    """Paint one eye inside the opening of its lids."""
    opening = np.concatenate([above, below[::-1]])
    patch, corner = _window(image, opening)
    eye = np.full_like(patch, SCLERA)
    # The upper lid casts a shadow on the white.
    fill(eye, ribbon(above - corner, scale * taper(13, 3.0, 3.0, 3.6)), colour=shade(SCLERA, 0.78))
    radius, middle = 4.5 * scale, centre - corner
    disc(eye, middle, radius, shade(identity.iris, 0.5))
    disc(eye, middle, radius * 0.84, identity.iris)
    disc(eye, middle - (0, -0.3 * radius), radius * 0.5, shade(identity.iris, 1.35))
    disc(eye, middle, radius * 0.46, PUPIL)
    disc(eye, middle + radius * np.array([0.38 * np.sign(identity.light[0]), -0.38]), radius * 0.24, (255, 255, 255))
    mask = np.zeros(patch.shape[:2], dtype=np.uint8)
    fill(mask, opening - corner, colour=(255,))
    blend(patch, eye, mask)


_NOSTRIL = np.array([[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.45, 0.55]])  # weights of the points of the wing


def paint_nostrils(image: np.ndarray, scale: float, identity: FaceIdentity, seen: FaceShape) -> None:
    """Paint the nostrils under the tip of the nose."""
    lines = _NOSTRIL @ np.stack([seen["wings"][:3], seen["wings"][:1:-1]]) - (0.0, 0.6 * scale)
    red, green, blue = identity.skin
    fill(image, *ribbon(lines, scale * np.array([0.5, 1.7, 0.5])), colour=(0.42 * red, 0.28 * green, 0.27 * blue))


def paint_mouth(
    image: np.ndarray, view: FaceView, identity: FaceIdentity, actions: ActionUnits, seen: FaceShape
) -> None:
    """Paint the inside of an open mouth, then the lips. Between closed lips it paints a line."""
    outer_top, inner_top, inner_bottom, outer_bottom = (
        seen[k] for k in ("outer_top", "inner_top", "inner_bottom", "outer_bottom")
    )
    # Gaps below about one pixel are drawn as a line.
    is_open = np.max(inner_bottom[:, 1] - inner_top[:, 1]) > 0.8
    if is_open:
        _inside(image, view, identity, actions, np.concatenate([inner_top, inner_bottom[::-1]]))
    fill(image, np.concatenate([outer_top, inner_top[::-1]]), colour=shade(identity.lip_colour, 0.86))
    fill(image, np.concatenate([inner_bottom, outer_bottom[::-1]]), colour=identity.lip_colour)
    shine = 0.55 * inner_bottom[7:18] + 0.45 * outer_bottom[7:18]
    height = np.max(outer_bottom[:, 1] - inner_bottom[:, 1])
    fill(image, ribbon(shine, 0.3 * height * taper(11)), colour=shade(identity.lip_colour, 1.16))
    if is_open:
        fill(image, ribbon(inner_top, view.scale * taper(25, 0.3, 0.3, 0.6)), colour=shade(identity.lip_colour, 0.55))
    else:
        line = 0.5 * (inner_top + inner_bottom)
        fill(image, ribbon(line, view.scale * taper(25, 0.5, 0.5, 1.25)), colour=shade(identity.lip_colour, 0.42))


_ACROSS = np.linspace(-1.0, 1.0, 11)


def _inside(
    image: np.ndarray, view: FaceView, identity: FaceIdentity, actions: ActionUnits, opening: np.ndarray
) -> None:
    """Paint the inside of the mouth.

    Teeth are fixed to the skull or the jaw, so they stay in place while the lips move.
    """
    patch, corner = _window(image, opening)
    mouth = np.full_like(patch, GUMS)
    rest, jaw = identity.mouth_height, actions.jaw_drop
    if jaw > 0.3:
        tongue = np.stack(
            [11 * _ACROSS, rest + 16.0 * jaw + 8.0 - 7.0 * np.sqrt(1 - _ACROSS**2), np.full(11, 30.0)], axis=1
        )
        fill(mouth, view(tongue) - corner, colour=TONGUE)
    half = identity.mouth_width * 0.86
    for edge, beyond, colour in (
        (rest + 4.4, rest - 14.0, TEETH),
        (rest + 5.4 + 15.0 * jaw, rest + 40.0, shade(TEETH, 0.88)),
    ):
        line = np.stack([half * _ACROSS, edge - 1.6 * _ACROSS**2, np.full(11, 38.0)], axis=1)
        bar = np.concatenate([line, [(half, beyond, 38.0), (-half, beyond, 38.0)]])
        fill(mouth, view(bar) - corner, colour=colour)
    mask = np.zeros(patch.shape[:2], dtype=np.uint8)
    fill(mask, opening - corner, colour=(255,))
    blend(patch, mouth, mask)


def _window(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of the image around `points`, as a view, and its corner (x, y)."""
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - 2, 0)
    high = np.ceil(points.max(axis=0)).astype(int) + 3
    return image[low[1] : high[1], low[0] : high[0]], low
