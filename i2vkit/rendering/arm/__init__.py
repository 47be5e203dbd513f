"""An arm that pushes things about: where (`ArmScene`), what it does (`ArmMotion`), what happens (`PushTrajectory`), how
it looks.

Lengths are metres. The bin's floor is the plane z = 0, its centre the origin; x goes to the right and y away, as the
main camera sees them, z up.
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
