"""Pictures of videos: strips, and grids of several videos."""

from i2vkit.visualization.animation import AnimationWriter
from i2vkit.visualization.grids import SideBySide
from i2vkit.visualization.strips import comparison_strip, labelled_strips, spread, to_frames, video_strip

__all__ = ["AnimationWriter", "SideBySide", "comparison_strip", "labelled_strips", "spread", "to_frames", "video_strip"]
