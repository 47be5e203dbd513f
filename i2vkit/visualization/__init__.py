"""Pictures of videos: strips, and grids of several videos."""

from i2vkit.visualization.animation import AnimationWriter
from i2vkit.visualization.grids import Grid, flow
from i2vkit.visualization.strips import comparison_strip, labelled_strips, spread, to_frames, video_strip

__all__ = [
    "AnimationWriter",
    "Grid",
    "comparison_strip",
    "flow",
    "labelled_strips",
    "spread",
    "to_frames",
    "video_strip",
]
