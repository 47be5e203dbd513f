"""The static parts of a scene as one camera sees them: the table, the bin's floor and its walls."""

import cv2
import numpy as np

from i2vkit.rendering.arm.arm_camera import ArmCamera
from i2vkit.rendering.arm.arm_canvas import ArmCanvas, corners
from i2vkit.rendering.arm.scene import BIN, WALL, ArmScene
from i2vkit.rendering.arm.solids import Faces, Light, raised, rectangle

RIM = 0.016  # thickness of the walls in metres
GRAIN = 256  # side of the floor's texture in pixels


def paint_room(canvas: ArmCanvas, scene: ArmScene) -> None:
    """Fill the whole canvas with the table, the floor, and the visible inner faces of the walls."""
    _paint_table(canvas, scene)
    _paint_floor(canvas, scene)
    canvas.fill([face for face, near in _walls(scene, canvas.camera, canvas.light) if not near])


def near_walls(scene: ArmScene, camera: ArmCamera, light: Light) -> Faces:
    """Return the faces of the walls near the camera, rims and outsides, which hide parts of the bin."""
    return [face for face, near in _walls(scene, camera, light) if near]


def floor_mask(canvas: ArmCanvas) -> np.ndarray:
    """Return a mask of the floor, uint8 (side, side), 0 or 255."""
    mask = np.zeros(canvas.image.shape[:2], np.uint8)
    pixels, _ = canvas.camera.project(raised(rectangle(*BIN), 0.0), canvas.side)
    cv2.fillConvexPoly(mask, corners(pixels), 255, cv2.LINE_8, 4)
    return mask


def _paint_table(canvas: ArmCanvas, scene: ArmScene) -> None:
    """Fill the canvas with the table."""
    rng = np.random.default_rng([scene.seed, 0])
    marks = cv2.resize(rng.normal(0, 1, (6, 6)), (canvas.side, canvas.side), interpolation=cv2.INTER_CUBIC)
    fade = np.linspace(0.72, 1.05, canvas.side)[:, None] + 0.05 * marks
    canvas.image[:] = np.clip(fade[..., None] * np.multiply(scene.table, canvas.light.tint), 0, 255).astype(np.uint8)


def _paint_floor(canvas: ArmCanvas, scene: ArmScene) -> None:
    """Draw the texture of the floor in perspective, lighter on the side of the light."""
    rng = np.random.default_rng([scene.seed, 1])
    tone = 1.0 + _grain(scene.texture, rng)
    x, y = np.meshgrid(np.linspace(-1, 1, GRAIN), np.linspace(-1, 1, GRAIN))
    tone += 0.08 * (x * scene.light[0] + y * scene.light[1])
    edge = np.minimum(1 - np.abs(x), 1 - np.abs(y))
    tone *= 1.0 - 0.22 * np.exp(-edge / 0.09)  # corners get less of the ambient light
    colour = canvas.light.on(scene.floor, np.array([[0.0, 0.0, 1.0]]))[0]
    texture = np.clip(tone[..., None] * colour, 0, 255).astype(np.uint8)
    # The corners of the texture, in the order of the corners of the floor.
    own = np.array([[GRAIN, GRAIN], [0, GRAIN], [0, 0], [GRAIN, 0]], np.float32) - 0.5
    pixels, _ = canvas.camera.project(raised(rectangle(*BIN), 0.0), canvas.side)
    warp = cv2.getPerspectiveTransform(own, pixels.astype(np.float32))
    size = canvas.image.shape[1::-1]
    laid = cv2.warpPerspective(texture, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cv2.copyTo(laid, floor_mask(canvas), canvas.image)


def _grain(texture: str, rng: np.random.Generator) -> np.ndarray:
    """Return the relative differences of the floor's tone, (GRAIN, GRAIN)."""
    fine = cv2.GaussianBlur(rng.normal(0, 1, (GRAIN, GRAIN)), (0, 0), 2.0)
    if texture == "boards":
        boards = 6
        tones = rng.normal(0, 0.05, boards).repeat(-(-GRAIN // boards))[:GRAIN]
        gaps = -0.18 * (np.arange(GRAIN) % -(-GRAIN // boards) < 3)
        streaks = cv2.GaussianBlur(rng.normal(0, 1, (GRAIN, GRAIN)), (0, 0), sigmaX=20.0, sigmaY=1.5)
        return (tones + gaps)[:, None] + 0.6 * streaks
    if texture == "felt":
        return 0.35 * fine + 0.5 * cv2.GaussianBlur(rng.normal(0, 1, (GRAIN, GRAIN)), (0, 0), 6.0)
    return 0.12 * fine


def _walls(scene: ArmScene, camera: ArmCamera, light: Light) -> list[tuple[tuple[np.ndarray, np.ndarray], bool]]:
    """Return the faces of the four walls towards the camera, and whether each may hide the inside of the bin."""
    result = []
    inner, outer = rectangle(*BIN), rectangle(BIN[0] + RIM, BIN[1] + RIM)
    for k in range(4):
        pair = [k, (k + 1) % 4]
        edge = inner[pair[1]] - inner[pair[0]]
        outward = np.array([edge[1], -edge[0], 0.0]) / np.hypot(*edge)
        inside = np.concatenate([raised(inner[pair], 0.0), raised(inner[pair[::-1]], WALL)])
        outside = np.concatenate([raised(outer[pair], -0.02), raised(outer[pair[::-1]], WALL)])
        rim = np.concatenate([raised(inner[pair], WALL), raised(outer[pair[::-1]], WALL)])
        # A wall is near if the camera is on its outer side.
        near = (camera.place - inside[0]) @ outward > 0
        shade = light.on(scene.wall, np.array([-outward, outward, (0.0, 0.0, 1.0)]))
        result += [((outside, shade[1]), True)] if near else [((inside, 0.92 * shade[0]), False)]
        result.append(((rim, np.minimum(1.08 * shade[2], 255.0)), near))
    return result
