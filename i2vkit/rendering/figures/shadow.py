"""The soft shadow of a figure on the ground or on the wall behind it."""

import cv2
import numpy as np

from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView

COARSE = 2  # pixels of the picture for each pixel of the shadow, which is blurred anyway
BONES = (
    ("pelvis", "neck", 0.16), ("neck", "head", 0.1),
    ("l_shoulder", "l_elbow", 0.07), ("l_elbow", "l_wrist", 0.06),
    ("r_shoulder", "r_elbow", 0.07), ("r_elbow", "r_wrist", 0.06),
    ("l_hip", "l_knee", 0.09), ("l_knee", "l_heel", 0.07), ("r_hip", "r_knee", 0.09), ("r_knee", "r_heel", 0.07),
    ("l_heel", "l_toe", 0.05), ("r_heel", "r_toe", 0.05),
)  # fmt: skip
STRENGTH, WARMTH = 0.34, np.array([1.0, 0.96, 0.88])
WALL = -0.24  # z of the wall behind the figure


def cast_shadow(image: np.ndarray, identity: FigureIdentity, view: FigureView, on_wall: bool) -> None:
    """Darken the picture in place where the figure blocks the light."""
    height, width = image.shape[0] // COARSE, image.shape[1] // COARSE
    cover = np.zeros((height, width), np.uint8)
    names = {name: number for number, name in enumerate(view.film.names)}
    space = view.film.space[view.frame]
    light = np.array(identity.light)
    if on_wall:
        thrown = space - ((space[:, 2:] - WALL) / light[2]) * light
    else:
        # Follow the light to the ground at y = 0, with a shadow a little shorter than the true one.
        thrown = space - (np.maximum(space[:, 1:2], 0.0) / light[1]) * light * np.array([0.8, 1.0, 0.8])
    pixels = view.project(thrown) / COARSE
    for first, last, thick in BONES:
        ends = np.rint(pixels[[names[first], names[last]]] * 16).astype(np.int32)
        cv2.line(
            cover, ends[0].tolist(), ends[1].tolist(), 255, max(1, round(thick * view.scale / COARSE)), cv2.LINE_AA, 4
        )
    left, top, wide, high = cv2.boundingRect(cover)
    if wide == 0:
        return
    margin = round(0.06 * view.scale)
    left, top = max(0, left - margin), max(0, top - margin)
    right, bottom = min(width, left + wide + 2 * margin), min(height, top + high + 2 * margin)
    soft = cv2.GaussianBlur(cover[top:bottom, left:right], (0, 0), 0.014 * view.scale + 0.4)
    part = image[top * COARSE : bottom * COARSE, left * COARSE : right * COARSE]
    shade = cv2.resize(soft, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    strength = STRENGTH * (0.55 if on_wall else 1.0)
    gains = [cv2.convertScaleAbs(shade, alpha=strength * warm) for warm in WARMTH]
    gain = cv2.bitwise_not(cv2.merge(gains))
    cv2.multiply(part, gain, dst=part, scale=1 / 255)
