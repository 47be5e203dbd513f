"""Content encoders (2D), motion encoders (CNN-LSTM, 3D, residual, landmarks) and the frame encoders that they use."""

from i2vkit.models.encoders.cnn_lstm import CnnLstmEncoder
from i2vkit.models.encoders.conv3d import Conv3dEncoder
from i2vkit.models.encoders.conv_pyramid import ConvPyramidEncoder
from i2vkit.models.encoders.difference import DifferenceEncoder
from i2vkit.models.encoders.frame_encoders import ConvFrameEncoder, TimmFrameEncoder
from i2vkit.models.encoders.keypoints import KeypointEncoder
from i2vkit.models.encoders.landmarks import GivenLandmarks, LandmarkEncoder
from i2vkit.models.encoders.recurrent_posterior import RecurrentPosterior
from i2vkit.models.encoders.residual_pyramid import MapDifferenceEncoder, ResidualPyramidEncoder
from i2vkit.models.encoders.stages import StageEncoder
from i2vkit.models.encoders.timm_pyramid import TimmPyramidEncoder

__all__ = [
    "CnnLstmEncoder",
    "Conv3dEncoder",
    "ConvFrameEncoder",
    "ConvPyramidEncoder",
    "DifferenceEncoder",
    "GivenLandmarks",
    "KeypointEncoder",
    "LandmarkEncoder",
    "MapDifferenceEncoder",
    "RecurrentPosterior",
    "ResidualPyramidEncoder",
    "StageEncoder",
    "TimmFrameEncoder",
    "TimmPyramidEncoder",
]
