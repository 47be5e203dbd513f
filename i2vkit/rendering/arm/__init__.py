"""A renderer of an arm that pushes things in a bin.

`ArmScene` is the place, `ArmMotion` the motion of the gripper, `PushTrajectory` the resulting course of events, and
`ArmRenderer` draws it. Lengths are in metres. The floor of the bin is the plane z = 0 with the origin at its centre. x
points to the right and y away, as the main camera sees them, and z up.
"""

from i2vkit.rendering.arm.arm_motion import NUM_FRAMES, ArmMotion, draw_motion
from i2vkit.rendering.arm.arm_renderer import CAMERAS, ArmRenderer
from i2vkit.rendering.arm.pushing import PushTrajectory, push
from i2vkit.rendering.arm.scene import ArmScene, SceneObject, draw_scene

__all__ = [
    "CAMERAS",
    "NUM_FRAMES",
    "PushTrajectory",
    "ArmMotion",
    "ArmRenderer",
    "ArmScene",
    "SceneObject",
    "draw_motion",
    "draw_scene",
    "push",
]
