"""Losses, one small registered class each, and the adversarial losses of discriminators."""

from i2vkit.models.losses.adversarial_losses import (
    AdversarialCriterion,
    HingeLoss,
    LeastSquaresLoss,
    NonSaturatingLoss,
    RelativisticLoss,
    WassersteinLoss,
)
from i2vkit.models.losses.base import Loss
from i2vkit.models.losses.change_losses import FrameChangeLoss, LandmarkChangeLoss
from i2vkit.models.losses.conditional_losses import CategoryLoss, DiscriminatorCategoryLoss, FirstFrameL1Loss
from i2vkit.models.losses.content_losses import ContentInvarianceLoss, ContentVarianceRatio
from i2vkit.models.losses.discriminator_losses import AdversarialLoss, DiscriminatorLoss
from i2vkit.models.losses.equivariance import EquivarianceLoss
from i2vkit.models.losses.feature_losses import FeatureSimilarityLoss
from i2vkit.models.losses.feature_matching import FeatureMatchingLoss
from i2vkit.models.losses.frame_losses import BaseL1Loss, FrameL1Loss, MaskSparsityLoss
from i2vkit.models.losses.gradient_penalties import GradientPenaltyLoss
from i2vkit.models.losses.landmark_losses import LandmarkLoss
from i2vkit.models.losses.motion_losses import KlLoss, MotionCycleLoss
from i2vkit.models.losses.perceptual import PerceptualPyramidLoss
from i2vkit.models.losses.pose_losses import PoseLoss
from i2vkit.models.losses.squared_losses import FrameL2Loss, GradientDifferenceLoss
from i2vkit.models.losses.supervised_losses import (
    ClassCompactnessLoss,
    FrameClassLoss,
    SequenceClassLoss,
    StateClassLoss,
    StateCompactnessLoss,
    StateContinuityLoss,
)

__all__ = [
    "AdversarialCriterion",
    "AdversarialLoss",
    "BaseL1Loss",
    "CategoryLoss",
    "ClassCompactnessLoss",
    "ContentInvarianceLoss",
    "ContentVarianceRatio",
    "DiscriminatorCategoryLoss",
    "DiscriminatorLoss",
    "EquivarianceLoss",
    "FeatureMatchingLoss",
    "FeatureSimilarityLoss",
    "FirstFrameL1Loss",
    "FrameChangeLoss",
    "FrameClassLoss",
    "FrameL1Loss",
    "FrameL2Loss",
    "GradientDifferenceLoss",
    "GradientPenaltyLoss",
    "HingeLoss",
    "KlLoss",
    "LandmarkChangeLoss",
    "LeastSquaresLoss",
    "LandmarkLoss",
    "Loss",
    "MaskSparsityLoss",
    "MotionCycleLoss",
    "NonSaturatingLoss",
    "PerceptualPyramidLoss",
    "PoseLoss",
    "RelativisticLoss",
    "SequenceClassLoss",
    "StateClassLoss",
    "StateCompactnessLoss",
    "StateContinuityLoss",
    "WassersteinLoss",
]
