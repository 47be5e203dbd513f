"""One frame of a body as the camera sees it."""

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCamera
from i2vkit.rendering.figures.poses import INDEX, FigureMotion
from i2vkit.rendering.figures.skeleton import PosedBody


class ProjectedMotion:
    """A body's clip, projected at once."""

    def __init__(self, body: PosedBody, motion: FigureMotion, camera: FigureCamera) -> None:
        self.body, self.motion, self.camera = body, motion, camera
        self.names = [
            name for name in body.points if name not in ("prop", "l_fingers", "r_fingers", "l_thumb", "r_thumb")
        ]
        self.space = np.stack([body[name] for name in self.names], axis=1)  # (T, J, 3)
        self.pixels, self.near = camera.project(self.space)

    def __getitem__(self, frame: int) -> "FigureView":
        return FigureView(self, frame)


class FigureView:
    """A frame: points in pixels by name, how near they are, axes in the picture.

    `flat` (of a direction) and `flat_axes` are picture directions (2,), y down, of what is one body height long and
    scaled to one pixel a height.
    """

    def __init__(self, projected: ProjectedMotion, frame: int) -> None:
        self.film, self.frame, self.scale = projected, frame, projected.camera.scale
        self.points = dict(zip(projected.names, projected.pixels[frame], strict=True))
        self.near = dict(zip(projected.names, projected.near[frame].tolist(), strict=True))
        self.axes = {name: axes[frame] for name, axes in projected.body.axes.items()}
        self.flat_axes = {name: self.flat(axes.T) for name, axes in self.axes.items()}
        self.prop = projected.motion.prop

    def __getitem__(self, name: str) -> np.ndarray:
        return self.points[name]

    def channel(self, name: str) -> float:
        """A channel of the pose."""
        return float(self.film.motion.poses[self.frame, INDEX[name]])

    def space(self, name: str) -> np.ndarray:
        """A point or direction (3,) in space."""
        return self.film.body[name][self.frame]

    def flat(self, directions: np.ndarray) -> np.ndarray:
        """Directions (..., 3) in the picture (..., 2)."""
        pitch = np.deg2rad(self.film.camera.pitch)
        down = -directions[..., 1] * np.cos(pitch) + directions[..., 2] * np.sin(pitch)
        return np.stack([directions[..., 0], down], axis=-1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points in space (..., 3)."""
        return self.film.camera.project(points)[0]
