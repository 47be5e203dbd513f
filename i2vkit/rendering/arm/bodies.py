"""Drawing of the things in the bin, from any side."""

import numpy as np

from i2vkit.rendering.arm.arm_canvas import ArmCanvas
from i2vkit.rendering.arm.scene import SceneObject
from i2vkit.rendering.arm.solids import FACETS, Faces, Light, circle, prism, raised, rectangle, turned

# A plush toy lies on its back. Each of its balls has a position (along, across, up) and a radius, in units of the toy's
# size. The last ball is the snout.
_PLUSH = np.array(
    [
        [-0.60, 0.50, 0.30, 0.30], [-0.60, -0.50, 0.30, 0.30], [0.10, 0.66, 0.32, 0.26], [0.10, -0.66, 0.32, 0.26],
        [-0.25, 0.00, 0.60, 0.60], [0.86, 0.40, 0.62, 0.21], [0.86, -0.40, 0.62, 0.21], [0.52, 0.00, 0.66, 0.50],
        [0.60, 0.00, 1.04, 0.20],
    ]
)  # fmt: skip


def outline(thing: SceneObject, pose: np.ndarray, count: int = FACETS) -> np.ndarray:
    """Return the outline on the floor of a thing, (N, 2), counter-clockwise."""
    shape = rectangle(*thing.half) if thing.kind == "box" else circle(count) * thing.half[0]
    return turned(shape, pose[2]) + pose[:2]


def paint(canvas: ArmCanvas, thing: SceneObject, pose: np.ndarray) -> None:
    """Draw a thing at a pose x, y, angle."""
    if thing.kind == "ball":
        _paint_ball(canvas, thing, pose)
    elif thing.kind == "plush":
        _paint_plush(canvas, thing, pose)
    else:
        canvas.fill(_faces(thing, pose, canvas.light, np.array(canvas.camera.place)))


def _faces(thing: SceneObject, pose: np.ndarray, light: Light, eye: np.ndarray) -> Faces:
    """Return the faces of a box, a cylinder or a cup with their colours."""
    base = outline(thing, pose)
    top = raised(base, thing.height)
    up = np.array([[0.0, 0.0, 1.0]])
    if thing.kind == "box":
        ribbon = turned(rectangle(thing.half[0], 0.25 * thing.half[1]), pose[2]) + pose[:2]
        faces = prism(base, 0.0, thing.height, (thing.colour, thing.colour), light, eye)
        return [*faces, (raised(ribbon, thing.height), light.on(thing.accent, up)[0])]
    band = (0.35 * thing.height, 0.7 * thing.height)
    faces = prism(base, 0.0, thing.height, (thing.colour, thing.colour), light, eye)
    if thing.kind == "cylinder":
        lid = pose[:2] + 0.55 * (base - pose[:2])
        stripe = prism(base, *band, (thing.accent, thing.accent), light, eye)[:-1]
        return [*faces, *stripe, (top, faces[-1][1]), (raised(lid, thing.height), light.on(thing.accent, up)[0])]
    inside = pose[:2] + 0.82 * (base - pose[:2])
    dark = 0.45 * light.on(thing.colour, up)[0]
    deep = pose[:2] + 0.74 * (base - pose[:2]) - 0.16 * thing.half[0] * light.direction[:2]
    return [*faces, (raised(inside, thing.height), dark), (raised(deep, 0.85 * thing.height), 0.7 * dark)]


def _paint_ball(canvas: ArmCanvas, thing: SceneObject, pose: np.ndarray) -> None:
    """Draw a ball that lies on the floor."""
    centre = np.array([[pose[0], pose[1], thing.half[0]]])
    canvas.balls(centre, np.array([thing.half[0]]), np.array([thing.colour], float), shine=0.7)


def _paint_plush(canvas: ArmCanvas, thing: SceneObject, pose: np.ndarray) -> None:
    """Draw a plush toy."""
    size = thing.half[0]
    centres = size * _PLUSH[:, :3]
    centres[:, :2] = turned(centres[:, :2], pose[2]) + pose[:2]
    colours = np.tile(np.array(thing.colour, float), (len(_PLUSH), 1))
    colours[[5, 6, 8]] = thing.accent
    # Farther parts of the body are drawn first, and the snout last.
    order = [*np.argsort(-np.linalg.norm(centres[:-1] - canvas.camera.place, axis=1)), len(_PLUSH) - 1]
    canvas.balls(centres[order], size * _PLUSH[order, 3], colours[order])
