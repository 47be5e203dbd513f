"""Motion generators, which make the motion of every frame from a code, a label, noise or points."""

from i2vkit.models.motion_generators.dense_flow import DenseFlow
from i2vkit.models.motion_generators.lstm_predictor import LstmPredictor
from i2vkit.models.motion_generators.lstm_unroll import LstmUnroll
from i2vkit.models.motion_generators.noise import LabelFusion, NoiseGru
from i2vkit.models.motion_generators.point_maps import PointMaps

__all__ = ["DenseFlow", "LabelFusion", "LstmPredictor", "LstmUnroll", "NoiseGru", "PointMaps"]
