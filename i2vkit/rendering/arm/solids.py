"""Faces of the things and of the arm, in world coordinates and with their colours.

The renderer projects and fills them. A face is a flat polygon (N, 3) with one colour. A solid gives only its faces
towards the camera, so they may be filled in any order.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Faces = list[tuple[np.ndarray, np.ndarray]]  # corners (N, 3), RGB (3,)
FACETS = 14


@dataclass(frozen=True)
class Light:
    """The light of a scene.

    Args:
        direction: The unit direction towards the light, (3,).
        tint: A factor for each colour channel, (3,).
        ambient: The share of the light that comes from everywhere.
    """

    direction: np.ndarray
    tint: np.ndarray
    ambient: float

    def on(self, colour, normals: np.ndarray) -> np.ndarray:
        """Return the colour (N, 3) of surfaces with normals (N, 3)."""
        strength = self.ambient + (1.15 - self.ambient) * np.maximum(normals @ self.direction, 0.0)
        return np.clip(np.multiply(colour, self.tint) * strength[:, None], 0.0, 255.0)


@lru_cache(maxsize=8)
def circle(count: int) -> np.ndarray:
    """Return `count` directions (count, 2) around a circle."""
    turn = np.arange(count) * (math.tau / count)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Rotate points (..., 2) around the origin."""
    c, s = math.cos(angle), math.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def prism(outline: np.ndarray, bottom: float, top: float, colours, light: Light, eye: np.ndarray) -> Faces:
    """Return the visible faces of an upright solid.

    Args:
        outline: Its convex outline (N, 2), counter-clockwise.
        bottom: The height of its bottom.
        top: The height of its top.
        colours: The colours of its sides and of its top.
        light: The light.
        eye: The position of the camera.
    """
    following = np.roll(outline, -1, axis=0)
    edge = following - outline
    length = np.sqrt((edge * edge).sum(axis=1))
    normals = np.zeros((len(outline) + 1, 3))
    normals[:-1, 0], normals[:-1, 1] = edge[:, 1] / length, -edge[:, 0] / length
    normals[-1, 2] = 1.0
    sides = np.empty((len(outline), 4, 3))
    sides[:, 0, :2] = sides[:, 3, :2] = outline
    sides[:, 1, :2] = sides[:, 2, :2] = following
    sides[:, :2, 2], sides[:, 2:, 2] = bottom, top
    # A side is visible if its normal points to the camera's half-space.
    seen = ((eye - sides[:, 0]) * normals[:-1]).sum(axis=1) > 0
    shades = light.on(colours[0], normals[:-1])
    faces = [(sides[k], shades[k]) for k in np.flatnonzero(seen)]
    if eye[2] > top:
        faces.append((raised(outline, top), light.on(colours[1], normals[-1:])[0]))
    return faces


def raised(outline: np.ndarray, height: float) -> np.ndarray:
    """Lift an outline (N, 2) to a height, as (N, 3)."""
    points = np.empty((len(outline), 3))
    points[:, :2], points[:, 2] = outline, height
    return points


def rectangle(length: float, width: float) -> np.ndarray:
    """Return the corners (4, 2) of a rectangle with half length and half width, counter-clockwise."""
    return np.array([[length, width], [-length, width], [-length, -width], [length, -width]])
