"""An arm that pushes things about: where (`Scene`), what it does (`Motion`), what happens (`Course`), how it looks.

Lengths are metres. The bin's floor is the plane z = 0, its centre the origin; x goes to the right and y away, as the
main camera sees them, z up.
"""

from i2vkit.rendering.arm.motion import NUM_FRAMES, Motion, draw_motion
from i2vkit.rendering.arm.pushing import Course, push
from i2vkit.rendering.arm.renderer import CAMERAS, Renderer
from i2vkit.rendering.arm.scene import Scene, Thing, draw_scene

__all__ = [
    "CAMERAS",
    "NUM_FRAMES",
    "Course",
    "Motion",
    "Renderer",
    "Scene",
    "Thing",
    "draw_motion",
    "draw_scene",
    "push",
]
