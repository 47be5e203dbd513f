"""Pictures of videos: strips of frames, grids of several videos, and animations."""

from i2vkit.visualization.animation import AnimationWriter
from i2vkit.visualization.grids import Grid, wrap_captions
from i2vkit.visualization.strips import comparison_strip, evenly_spaced, labelled_strips, to_frames, video_strip

__all__ = [
    "AnimationWriter",
    "Grid",
    "comparison_strip",
    "wrap_captions",
    "labelled_strips",
    "evenly_spaced",
    "to_frames",
    "video_strip",
]
