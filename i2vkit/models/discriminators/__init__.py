"""Discriminator networks and the views through which critics look at a video."""

from i2vkit.models.discriminators.networks import FrameDiscriminator, VectorDiscriminator, VideoDiscriminator
from i2vkit.models.discriminators.views import AllFrames, Footage, LastDynamics, RandomFrames, RandomWindow, WholeClip

__all__ = [
    "AllFrames",
    "Footage",
    "FrameDiscriminator",
    "LastDynamics",
    "RandomFrames",
    "RandomWindow",
    "VectorDiscriminator",
    "VideoDiscriminator",
    "WholeClip",
]
