"""Rendering of a trajectory of arm and things as one camera sees it."""

from collections.abc import Iterator

import cv2
import numpy as np

from i2vkit.rendering.arm import bodies, robot
from i2vkit.rendering.arm.arm_camera import CAMERAS
from i2vkit.rendering.arm.arm_canvas import ArmCanvas, corners
from i2vkit.rendering.arm.pushing import PushTrajectory
from i2vkit.rendering.arm.room import floor_mask, near_walls, paint_room
from i2vkit.rendering.arm.scene import ArmScene
from i2vkit.rendering.arm.solids import Light, circle, raised

SOFTNESS = 1.6  # blur of the shadows' edges, in pixels of the picture
COARSE = 2  # pixels of the canvas for each pixel of the shadows, each way


class ArmRenderer:
    """A renderer of one scene seen by one camera, "main" or "aux1".

    It paints the static parts once, when it is made.
    """

    def __init__(self, scene: ArmScene, camera: str):
        tint = np.array([1.0 + 0.05 * scene.warmth, 1.0, 1.0 - 0.06 * scene.warmth])
        light = Light(np.array(scene.light), tint, scene.ambient)
        self.scene = scene
        self.canvas = ArmCanvas(CAMERAS[camera], light)
        paint_room(self.canvas, scene)
        self._room = self.canvas.image.copy()
        self._floor = cv2.resize(
            floor_mask(self.canvas), None, fx=1 / COARSE, fy=1 / COARSE, interpolation=cv2.INTER_AREA
        )
        self._near_walls = near_walls(scene, self.canvas.camera, light)

    def render(self, gripper: np.ndarray, things: np.ndarray) -> np.ndarray:
        """Draw one frame, RGB uint8 (64, 64, 3), of the gripper's pose (5,) and the things' poses (N, 3)."""
        canvas = self.canvas
        shade = self._shadows(gripper, things)
        cv2.multiply(self._room, cv2.merge((shade, shade, shade)), dst=canvas.image, scale=1 / 255)
        place = np.vstack([things[:, :2], gripper[None, :2]])
        # Far things are drawn first, and the arm in its place among them.
        depth = raised(place, 0.0) @ canvas.camera.axes[2]
        for number in np.argsort(-depth, kind="stable").tolist():
            if number == len(things):
                robot.paint(canvas, gripper)
            else:
                bodies.paint(canvas, self.scene.things[number], things[number])
        canvas.fill(self._near_walls)
        return canvas.picture()

    def render_trajectory(self, trajectory: PushTrajectory) -> Iterator[np.ndarray]:
        """Draw the frames of a clip, one by one."""
        return (
            self.render(gripper, things) for gripper, things in zip(trajectory.gripper, trajectory.things, strict=True)
        )

    def _shadows(self, gripper: np.ndarray, things: np.ndarray) -> np.ndarray:
        """Return the shadows as a factor of the room's light, uint8 (side, side), 255 where there is none."""
        outlines = []
        for thing, pose in zip(self.scene.things, things, strict=True):
            base = bodies.outline(thing, pose, 10)
            outlines.append(self._cast(base, 0.0, thing.height))
        for finger in robot.finger_outlines(gripper):
            outlines.append(self._cast(finger, gripper[2], gripper[2] + robot.PALM))
        outlines.append(self._cast(robot.palm_outline(gripper), gripper[2] + robot.PALM, gripper[2] + robot.WRIST))
        wrist, bend = robot.joints(gripper)
        outlines.append(
            np.vstack([self._on_floor(raised(circle(10) * 0.045 + end[:2], end[2])) for end in (wrist, bend)])
        )
        side = self.canvas.side // COARSE
        # Projecting all outlines at once is faster than one by one.
        pixels, _ = self.canvas.camera.project(raised(np.concatenate(outlines), 0.0), side)
        mask: np.ndarray = np.zeros((side, side), np.uint8)
        start = 0
        for outline in outlines:
            hull = cv2.convexHull(corners(pixels[start : start + len(outline)]))
            cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_8, 4)
            start += len(outline)
        mask = cv2.GaussianBlur(cv2.bitwise_and(mask, self._floor), (0, 0), SOFTNESS * side / 64)
        shade = cv2.convertScaleAbs(mask, alpha=-(1.0 - self.scene.ambient) * 0.85, beta=255.0)
        return cv2.resize(shade, (self.canvas.side,) * 2, interpolation=cv2.INTER_LINEAR)

    def _cast(self, outline: np.ndarray, bottom: float, top: float) -> np.ndarray:
        """Return points on the floor (2N, 2) whose hull is the shadow of an upright solid."""
        return self._on_floor(np.concatenate([raised(outline, bottom), raised(outline, top)]))

    def _on_floor(self, points: np.ndarray) -> np.ndarray:
        """Return the shadows (N, 2) of points (N, 3) on the floor."""
        light = self.canvas.light.direction
        # Follow the ray of light down to z = 0.
        return points[:, :2] - points[:, 2:] * (light[:2] / light[2])
