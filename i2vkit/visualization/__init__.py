"""Pictures of videos: strips, and grids of several videos."""

from i2vkit.visualization.grids import SideBySide
from i2vkit.visualization.strips import comparison_strip, spread, to_frames, video_strip

__all__ = ["SideBySide", "comparison_strip", "spread", "to_frames", "video_strip"]
