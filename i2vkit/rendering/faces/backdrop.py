"""The parts of a face's picture that are painted once for each person: background, neck, clothes, and the lit skin."""

import numpy as np

from i2vkit.rendering.faces.face_geometry import JAW_X, FaceView
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.painting import Sketch, shade

SHADOW = np.array([0.62, 0.5, 0.47])  # the share of RGB that skin keeps in full shade, so that it turns warm, not grey


def head_grid(view: FaceView, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y (H, W) of every pixel in head units."""
    rows, columns = np.mgrid[0:height, 0:width]
    return (columns - view.centre[0]) / view.scale, (rows - view.centre[1]) / view.scale


def lit(identity: FaceIdentity, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the light (H, W) on the head, from 0 in shade to 1 in full light, as on an ellipsoid with a soft edge."""
    nx, ny = x / (identity.face_width * 1.12), (y + 4.0) / 82.0
    nz = np.sqrt(np.maximum(0.04, 1.0 - nx**2 - ny**2))
    lx, ly, lz = identity.light
    return np.clip(0.5 + 0.62 * (nx * lx + ny * ly + nz * lz) - 0.1, 0.0, 1.0)


def background(identity: FaceIdentity, width: int, height: int) -> np.ndarray:
    """Paint a plain wall (H, W, 3), brighter on the lit side."""
    x, y = head_grid(FaceView(width, height), width, height)
    pool = np.exp(-(((x - 60 * identity.light[0]) / 130) ** 2) - ((y + 20) / 120) ** 2)
    return np.clip(np.array(identity.background) * (0.8 + 0.24 * pool)[..., None], 0, 255).astype(np.uint8)


def body(identity: FaceIdentity, width: int, height: int) -> np.ndarray:
    """Paint neck and clothes as a premultiplied RGBA layer."""
    view = FaceView(width, height)
    sketch = Sketch(view, width, height, identity.shirt)
    x, y = head_grid(view, width, height)
    neck = 0.44 * identity.face_width + 3.0 * identity.jaw
    # The neck is skin, and the clothes are painted around it.
    throat = np.array(
        [(-neck, 30), (-neck, 68), (-neck - 5, 80), (-58, 92), (58, 92), (neck + 5, 80), (neck, 68), (neck, 30)]
    )
    torso = np.array([(-neck - 2, 80), (-62, 90), (-84, 98), (-96, 130), (96, 130), (84, 98), (62, 90), (neck + 2, 80)])
    sketch.shape(throat, torso)
    sketch.stroke(np.array([(-50, 130), (-58, 104), (-62, 98)]), shade(identity.shirt, 0.75), 1.0)
    sketch.stroke(np.array([(50, 130), (58, 104), (62, 98)]), shade(identity.shirt, 0.75), 1.0)
    skin = shade(identity.skin, 0.86)
    sketch.paint(throat[[0, 1, 2, 5, 6, 7]], skin)
    _collar(sketch, identity, neck, skin)
    # The head casts its shadow on the neck, and the light decreases downwards.
    chin_shadow = 0.42 * np.exp(-((np.maximum(0.0, y - identity.chin - 3) / 9.0) ** 2)) * np.exp(-((x / 40.0) ** 4))
    side = 1.0 + 0.18 * np.clip(x * identity.light[0] / 40.0, -1, 1)
    sketch.multiply(np.clip((1.0 - chin_shadow) * side * (1.04 - 0.003 * np.maximum(y - 80, 0)), 0, 1.2))
    return sketch.layer()


def _collar(sketch: Sketch, identity: FaceIdentity, neck: float, skin: tuple[int, ...]) -> None:
    """Paint the collar of the person's clothes."""
    rim = np.array([(-neck - 4, 79), (-neck * 0.7, 89), (0, 93), (neck * 0.7, 89), (neck + 4, 79)])
    if identity.collar == "turtle":
        sketch.paint(
            np.array([(-neck - 3, 70), (neck + 3, 70), (neck + 7, 92), (-neck - 7, 92)]), shade(identity.shirt, 0.92)
        )
        sketch.stroke(np.array([(-neck - 2, 71), (0, 74), (neck + 2, 71)]), shade(identity.shirt, 1.15), 1.2)
        return
    dip = 20 if identity.collar in ("v", "shirt") else 0
    sketch.paint(np.concatenate([rim[:2], [(0, 93 + dip)], rim[3:], [(neck + 4, 60), (-neck - 4, 60)]]), skin)
    if identity.collar == "shirt":
        for side in (-1, 1):
            flap = np.array([(side * (neck + 4), 77), (side * 3, 97 + 6), (side * 17, 107), (side * (neck + 12), 86)])
            sketch.paint(flap, shade(identity.shirt, 1.18))
            sketch.stroke(flap[[1, 2, 3]], shade(identity.shirt, 0.7), 1.0)
    else:
        edge = np.concatenate([rim[:2], [(0, 93 + dip)], rim[3:]])
        sketch.stroke(edge, shade(identity.shirt, 0.78), 2.2)


def skin(identity: FaceIdentity, width: int, height: int) -> np.ndarray:
    """Paint the lit skin of the resting head (H, W, 3). It extends beyond the face, whose moving outline cuts it."""
    x, y = head_grid(FaceView(width, height), width, height)
    light = lit(identity, x, y)

    def spot(cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
        """Return a soft spot (H, W) on both sides of the face."""
        return np.exp(-(((np.abs(x) - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)

    # Forehead and cheeks reflect more on the lit side.
    towards = 1.0 + 0.5 * np.sign(identity.light[0]) * np.clip(x / 30.0, -1, 1)
    light = (
        light
        + towards * (0.10 * spot(0, -34, 24, 12) + 0.12 * spot(25, 17, 10, 8))
        + 0.08 * spot(0, identity.chin - 6, 8, 5)
    )
    light -= 0.16 * spot(identity.face_width - 5, 34, 13, 17) + 0.12 * spot(identity.eye_distance, -4, 12, 8)
    colour = np.array(identity.skin) * (SHADOW + (1.06 - SHADOW) * np.clip(light, 0, 1.12)[..., None])
    rosy = np.clip(identity.blush * (0.5 * spot(27, 20, 12, 9) + 0.3 * spot(0, 20, 7, 7)), 0, 1)[..., None]
    colour *= 1.0 - rosy * np.array([0.02, 0.22, 0.18])
    colour = _freckles(identity, colour, x, y) if identity.freckles > 0 else colour
    colour = _stubble(identity, colour, x, y) if identity.beard in ("stubble", "goatee", "moustache") else colour
    return np.clip(colour, 0, 255).astype(np.uint8)


def _freckles(identity: FaceIdentity, colour: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Add freckles to the skin."""
    rng = np.random.default_rng([identity.seed, 1])
    for _ in range(int(50 * identity.freckles)):
        cx, cy = rng.choice([-1, 1]) * abs(rng.normal(18, 10)), rng.normal(14, 6)
        dot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.25, 0.8))
        colour = colour * (1.0 - dot[..., None] * np.array([0.2, 0.34, 0.4]))
    return colour


def _stubble(identity: FaceIdentity, colour: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Add a grey-blue shadow with some grain where a beard would grow."""
    mouth = 0.5 * (identity.nose_length + identity.chin) - 2.0
    edge = identity.face_width * np.interp(y, [-6, 21, 33, 43, 62], JAW_X[[0, 2, 3, 4, 7]])
    low = 1.0 / (1.0 + np.exp(-(y - (identity.nose_length + 7) + 0.24 * (edge - np.abs(x)) - 8) / 2.5))
    lip = np.exp(-((x / 17) ** 4) - ((y - mouth + 8) / 4) ** 2)
    grain = 0.8 + 0.2 * np.random.default_rng([identity.seed, 2]).random(x.shape)
    amount = np.clip(low + lip, 0, 1) * grain * (0.42 if identity.beard == "stubble" else 0.16)
    return colour * (1.0 - amount[..., None]) + amount[..., None] * (0.45 * colour.mean() * np.array([0.72, 0.7, 0.74]))
