"""Discriminator networks, the views that say which samples they see, and augmentations of the samples."""

from i2vkit.models.discriminators.augmentation import DiffAugment
from i2vkit.models.discriminators.networks import FrameDiscriminator, VectorDiscriminator, VideoDiscriminator
from i2vkit.models.discriminators.pooled import PooledFrameDiscriminator
from i2vkit.models.discriminators.projected import ProjectedFrameDiscriminator, ProjectedPairDiscriminator
from i2vkit.models.discriminators.residual import ResidualFrameDiscriminator, ResidualVideoDiscriminator
from i2vkit.models.discriminators.views import (
    AllFrames,
    ConditionedVideo,
    FramePairs,
    LastDynamics,
    RandomFrames,
    RandomWindow,
    WholeClip,
)

__all__ = [
    "AllFrames",
    "ConditionedVideo",
    "DiffAugment",
    "FrameDiscriminator",
    "FramePairs",
    "LastDynamics",
    "PooledFrameDiscriminator",
    "ProjectedFrameDiscriminator",
    "ProjectedPairDiscriminator",
    "RandomFrames",
    "RandomWindow",
    "ResidualFrameDiscriminator",
    "ResidualVideoDiscriminator",
    "VectorDiscriminator",
    "VideoDiscriminator",
    "WholeClip",
]
