"""Losses of a GAN under their former module, kept for code that imports them from here."""

from i2vkit.models.losses.discriminator_losses import AdversarialLoss, DiscriminatorLoss, DiscriminatorTerm, needs_real
from i2vkit.models.losses.frame_losses import FrameL1Loss, MaskSparsityLoss, PassLoss
from i2vkit.models.losses.motion_losses import KlLoss, MotionCycleLoss

__all__ = [
    "AdversarialLoss",
    "DiscriminatorLoss",
    "DiscriminatorTerm",
    "FrameL1Loss",
    "KlLoss",
    "MaskSparsityLoss",
    "MotionCycleLoss",
    "PassLoss",
    "needs_real",
]
