"""The projection of a body's clip, and one frame of it as the camera sees it."""

import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCamera
from i2vkit.rendering.figures.poses import INDEX, FigureMotion
from i2vkit.rendering.figures.skeleton import PosedBody


class ProjectedMotion:
    """A clip of a body, with all frames projected at once."""

    def __init__(self, body: PosedBody, motion: FigureMotion, camera: FigureCamera) -> None:
        self.body, self.motion, self.camera = body, motion, camera
        self.names = [
            name for name in body.points if name not in ("prop", "l_fingers", "r_fingers", "l_thumb", "r_thumb")
        ]
        self.space = np.stack([body[name] for name in self.names], axis=1)  # (T, J, 3)
        self.pixels, self.near = camera.project(self.space)

    def __getitem__(self, frame: int) -> "FigureView":
        """Return the view of one frame."""
        return FigureView(self, frame)


class FigureView:
    """One frame: points in pixels by name, their nearness, and axes in the picture.

    `flat` and `flat_axes` give directions (2,) in the picture, y down. They are those of directions of unit length in
    space, without the camera's scale.
    """

    def __init__(self, projected: ProjectedMotion, frame: int) -> None:
        self.film, self.frame, self.scale = projected, frame, projected.camera.scale
        self.points = dict(zip(projected.names, projected.pixels[frame], strict=True))
        self.near = dict(zip(projected.names, projected.near[frame].tolist(), strict=True))
        self.axes = {name: axes[frame] for name, axes in projected.body.axes.items()}
        self.flat_axes = {name: self.flat(axes.T) for name, axes in self.axes.items()}
        self.prop = projected.motion.prop

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a point in pixels."""
        return self.points[name]

    def channel(self, name: str) -> float:
        """Return a channel of the pose."""
        return float(self.film.motion.poses[self.frame, INDEX[name]])

    def space(self, name: str) -> np.ndarray:
        """Return a point or a direction (3,) in space."""
        return self.film.body[name][self.frame]

    def flat(self, directions: np.ndarray) -> np.ndarray:
        """Return directions (..., 3) in space as directions (..., 2) in the picture."""
        pitch = np.deg2rad(self.film.camera.pitch)
        down = -directions[..., 1] * np.cos(pitch) + directions[..., 2] * np.sin(pitch)
        return np.stack([directions[..., 0], down], axis=-1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (..., 2) of points in space (..., 3)."""
        return self.film.camera.project(points)[0]
