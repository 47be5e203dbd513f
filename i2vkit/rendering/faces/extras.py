"""Beards and glasses, which move with the face."""

from functools import cache

import cv2
import numpy as np

from i2vkit.rendering.faces.face_geometry import FaceShape, FaceView, on_surface, spline_basis
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.painting import SHIFT, fill, fill_corners, ribbon, shade, taper


def paint_beard(image: np.ndarray, view: FaceView, identity: FaceIdentity, shape: FaceShape) -> None:
    """Paint a full beard, a goatee or a moustache. Stubble is part of the skin."""
    colour = shade(identity.brow_colour, 1.12)
    if identity.beard in ("full", "goatee"):
        fill(image, view(_beard_outline(identity, shape)), colour=colour)
        _hairs(image, view, identity, shape, colour)
    if identity.beard in ("full", "goatee", "moustache"):
        top = shape["outer_top"][1:-1] - (0, 1.6, 0)
        bulge = np.array([0, -3.4, 0]) * (1 - np.linspace(-1, 1, 23)[:, None] ** 2) ** 0.6
        ends = shape["outer_top"][[-1, 0]] + (0, 3.0, 0)
        moustache = np.concatenate(
            [top + bulge, ends[:1] - (-2.5, 0, 0), top[::-1] - (0, -1.8, 0), ends[1:] - (2.5, 0, 0)]
        )
        fill(image, view(moustache), colour=shade(colour, 0.9))


def _beard_outline(identity: FaceIdentity, shape: FaceShape) -> np.ndarray:
    """Return a closed curve (N, 3) around the lower face. It leaves out the mouth, which is painted over it."""
    if identity.beard == "full":
        jaw = shape["outline"][1:16] * (1.015, 1.03, 1.0)
        cheek = [(0.9, 14), (0.8, 24), (0.62, 30)]
        right = np.array([(identity.face_width * x, y, 30.0) for x, y in cheek])
    else:
        jaw = shape["outline"][6:11] * (0.86, 1.03, 1.0)
        right = np.empty((0, 3))
    corner = shape["outer_top"][24] + (3.5, -1.0, 0.0)
    under = [shape["outer_bottom"][20] + (3, 1.5, 0), shape["outer_bottom"][12] + (0, 2.0, 0)]
    half = np.concatenate([right, [corner], under])
    left = half[:-1][::-1] * (-1.0, 1.0, 1.0)
    left[: len(left) - len(right), 1] = np.array(
        [shape["outer_bottom"][4] + (0, 1.5, 0), shape["outer_top"][0] + (0, -1, 0)]
    )[:, 1]
    outline = np.concatenate([jaw, half, left])
    return spline_basis(len(outline), 4) @ outline


def _hairs(
    image: np.ndarray, view: FaceView, identity: FaceIdentity, shape: FaceShape, colour: tuple[int, ...]
) -> None:
    """Paint some lighter and darker strands at the edge of the beard."""
    jaw = shape["outline"][3:14] if identity.beard == "full" else shape["outline"][6:11] * (0.8, 1, 1)
    where, tones = _strand_places(identity.seed, len(jaw))
    tips = where @ jaw
    inward = np.stack([-3.0 * np.sign(tips[:, 0]), np.full(len(tips), -7.0), np.zeros(len(tips))], axis=1)
    lines = np.stack([tips * (0.95, 0.98, 1) + inward, tips * 0.95 + 0.5 * inward, tips * (0.96, 1.0, 1)], axis=1)
    strands = fill_corners(ribbon(view(lines), view.scale * np.array([0.2, 0.9, 0.3])))
    for tone in set(tones):
        chosen = [strand for strand, own in zip(strands, tones, strict=True) if own == tone]
        cv2.fillPoly(image, chosen, shade(colour, tone), lineType=cv2.LINE_AA, shift=SHIFT)


@cache
def _strand_places(seed: int, num_points: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return weights (22, num_points) that place strands between the points of the jaw, and the strands' lightness."""
    rng = np.random.default_rng([seed, 4])
    position = rng.uniform(0.0, num_points - 1.01, 22)
    # Linear interpolation between neighbouring points: (22, num_points).
    weights = np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(num_points)))
    return weights, tuple(rng.choice([0.78, 0.9, 1.2], 22).tolist())


def paint_glasses(image: np.ndarray, view: FaceView, identity: FaceIdentity) -> None:
    """Paint round or square frames on the nose, with arms to the ears."""
    angle = np.linspace(0.0, 2.0 * np.pi, 33)[:-1]
    # A power below 1 turns the ellipse into a rounded rectangle.
    power = 1.0 if identity.glasses == "round" else 0.55
    cos, sin = (np.sign(f) * np.abs(f) ** power for f in (np.cos(angle), np.sin(angle)))
    wide, tall = (14.6, 13.4) if identity.glasses == "round" else (15.6, 10.6)
    width = view.scale
    for side in (-1, 1):
        centre = side * (identity.eye_distance + 0.2), 2.0

        def rim(grow: float, centre=centre) -> np.ndarray:
            """Return the outline of a frame, grown by some head units, in pixels."""
            x, y = centre[0] + (wide + grow) * cos, centre[1] + (tall + grow) * sin
            return view(np.stack([x, y, np.full_like(x, 46.0)], axis=1))

        fill(image, rim(0.8), rim(-0.7), colour=identity.glasses_colour)
        arm = np.array(
            [(side * (identity.eye_distance + wide), -1.0, 45.0), (side * (identity.face_width + 1.0), -2.0, 8.0)]
        )
        fill(image, ribbon(view(arm), np.full(2, 1.5 * width)), colour=identity.glasses_colour)
    span = identity.eye_distance - wide
    x = np.linspace(-span, span, 5)
    bridge = view(on_surface(x, -1.0 + 0.25 * np.abs(x) - 1.0, 6.0))
    fill(image, ribbon(bridge, taper(5, 1.4, 1.4, 1.4) * width), colour=identity.glasses_colour)
