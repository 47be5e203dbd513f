"""A renderer of a person in any motion, with joints, silhouette and box."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from i2vkit.rendering.faces.painting import blend_layer
from i2vkit.rendering.figures.backgrounds import paint_place, place_of
from i2vkit.rendering.figures.figure import draw_figure
from i2vkit.rendering.figures.figure_canvas import FigureCamera, FigureCanvas
from i2vkit.rendering.figures.figure_identity import FigureIdentity
from i2vkit.rendering.figures.figure_view import FigureView, ProjectedMotion
from i2vkit.rendering.figures.poses import FigureMotion
from i2vkit.rendering.figures.shadow import cast_shadow
from i2vkit.rendering.figures.skeleton import PENN_JOINTS, pose_body

# For each scene: body height and row of the ground in picture heights, and degrees by which the camera looks down.
CAMERAS = {"weizmann": (0.49, 0.86, 7.0), "natops": (0.97, 1.21, 2.0), "penn_action": (0.56, 0.885, 6.0)}
MARGIN = 0.075  # margin around the outermost joints, in body heights


@dataclass(frozen=True)
class FigureFrame:
    """A frame with its exact annotations. Pixel centres are whole numbers.

    Joints are known everywhere, even outside the picture. Silhouette and box are those of the person without the prop.
    """

    image: np.ndarray  # uint8 RGB (H, W, 3)
    joints: np.ndarray  # (13, 2): head, then left and right shoulder, elbow, wrist, hip, knee, ankle of the person
    mask: np.ndarray  # bool (H, W)
    box: np.ndarray  # (4,): x0, y0, x1, y1, the outermost pixels of the silhouette; NaN if it is empty


class FigureRenderer:
    """A renderer of one person in front of one static camera.

    Args:
        identity: The person.
        scene: "weizmann" (the whole person, in front of a wall), "natops" (from the thighs up, in a room) or
            "penn_action" (the whole person, in the place of the action).
        width: The width of the picture in pixels.
        height: The height of the picture in pixels.
    """

    def __init__(self, identity: FigureIdentity, scene: str, width: int, height: int) -> None:
        size, ground, pitch = CAMERAS[scene]
        self.identity, self.scene, self.width, self.height = identity, scene, width, height
        self.camera = FigureCamera(size * height, 0.5 * (width - 1), ground * height, pitch)
        small = self.camera.scale < 100.0
        # Small figures need more smoothing of edges and fewer tones.
        self.factor, self.num_tones = (4, 4) if small else (3, 8)
        self._places: dict[str, np.ndarray] = {}
        light = np.array([identity.light[0], -identity.light[1]])
        self._light = light / np.linalg.norm(light)

    def render_motion(self, motion: FigureMotion) -> Iterator[FigureFrame]:
        """Draw the frames of a clip, one by one."""
        place = self.place(motion.action)
        projected = ProjectedMotion(pose_body(self.identity, motion), motion, self.camera)
        joints = np.stack([projected.pixels[:, projected.names.index(name)] for name in PENN_JOINTS], axis=1)
        for frame in range(len(motion)):
            yield self._render(place, projected[frame], joints[frame])

    def place(self, action: str) -> np.ndarray:
        """Return the empty place of an action, uint8 RGB (H, W, 3)."""
        name = place_of(self.scene, action)
        if name not in self._places:
            self._places[name] = paint_place(self.identity, name, self.camera, self.width, self.height)
        return self._places[name]

    def _render(self, place: np.ndarray, view: FigureView, joints: np.ndarray) -> FigureFrame:
        """Draw one frame over its empty place."""
        image = place.copy()
        cast_shadow(image, self.identity, view, on_wall=self.scene == "natops")
        left, top, right, bottom = self._reach(view)
        mask = np.zeros((self.height, self.width), bool)
        if right > left and bottom > top:
            line = max(0.45, 0.006 * self.camera.scale)
            size = (right - left, bottom - top)
            canvas = FigureCanvas(
                (left, top), size, self.factor, self._light, line, self.num_tones, split=view.prop is not None
            )
            draw_figure(canvas, self.identity, view)
            layer, cover = canvas.layer()
            blend_layer(image[top:bottom, left:right], layer)
            mask[top:bottom, left:right] = cover > 127
        return FigureFrame(image, joints, mask, _box(mask))

    def _reach(self, view: FigureView) -> tuple[int, int, int, int]:
        """Return the left, top, right and bottom pixel of the area that the figure can cover."""
        points = np.array(list(view.points.values()))
        margin = MARGIN * self.camera.scale
        if view.prop is not None:
            # Props reach farther than joints, so take the whole picture.
            return 0, 0, self.width, self.height
        low = np.maximum(np.floor(points.min(axis=0) - 1.35 * margin), 0).astype(int)
        high = np.minimum(np.ceil(points.max(axis=0) + 1.35 * margin), (self.width, self.height)).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _box(mask: np.ndarray) -> np.ndarray:
    """Return the box x0, y0, x1, y1 of the set pixels of a mask, or NaN."""
    left, top, wide, high = cv2.boundingRect(mask.view(np.uint8))
    if wide == 0:
        return np.full(4, np.nan)
    return np.array([left, top, left + wide - 1, top + high - 1], np.float64)
