"""Discriminator networks and the views through which critics look at a video."""

from i2vkit.models.discriminators.networks import FrameDiscriminator, VectorDiscriminator, VideoDiscriminator
from i2vkit.models.discriminators.residual import ResidualFrameDiscriminator, ResidualVideoDiscriminator
from i2vkit.models.discriminators.views import AllFrames, Footage, LastDynamics, RandomFrames, RandomWindow, WholeClip

__all__ = [
    "AllFrames",
    "Footage",
    "FrameDiscriminator",
    "LastDynamics",
    "RandomFrames",
    "RandomWindow",
    "ResidualFrameDiscriminator",
    "ResidualVideoDiscriminator",
    "VectorDiscriminator",
    "VideoDiscriminator",
    "WholeClip",
]
