"""Small pieces that several parts share; they know nothing of papers."""

from i2vkit.models.layers.adapters import CodeToTrajectory, PyramidToCode, TrajectoryToCode
from i2vkit.models.layers.dropout import ClipDropout
from i2vkit.models.layers.initialization import init_dcgan_, init_he_
from i2vkit.models.layers.lengths import at_last_frame, frame_mask, masked_mean
from i2vkit.models.layers.stream import Stream

__all__ = [
    "ClipDropout",
    "CodeToTrajectory",
    "PyramidToCode",
    "Stream",
    "TrajectoryToCode",
    "at_last_frame",
    "frame_mask",
    "init_dcgan_",
    "init_he_",
    "masked_mean",
]
