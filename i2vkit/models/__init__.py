"""Models and their parts. Importing this package registers all of them."""

from i2vkit.models import (
    adapters,
    decoders,
    discriminators,
    encoders,
    heads,
    layers,
    losses,
    motion_generators,
    refiners,
)
from i2vkit.models.data_preprocessor import ClipPreprocessor
from i2vkit.models.discriminators.discriminator import Discriminator
from i2vkit.models.generator import Generator
from i2vkit.models.pretraining.landmark_regressor import LandmarkRegressor
from i2vkit.models.pretraining.motion_regressor import MotionRegressor
from i2vkit.models.pretraining.pose_lstm import PoseLstm
from i2vkit.models.training.image_to_video_gan import ImageToVideoGan
from i2vkit.models.training.supervised_model import CnnLstmClassifier, SupervisedModel

__all__ = [
    "adapters",
    "ClipPreprocessor",
    "CnnLstmClassifier",
    "Discriminator",
    "Generator",
    "ImageToVideoGan",
    "LandmarkRegressor",
    "MotionRegressor",
    "PoseLstm",
    "SupervisedModel",
    "decoders",
    "discriminators",
    "encoders",
    "heads",
    "layers",
    "losses",
    "motion_generators",
    "refiners",
]
