"""Motion generators, which make the motion of every frame from a code, a label or noise."""

from i2vkit.models.motion_generators.dense_flow import DenseFlow
from i2vkit.models.motion_generators.lstm_unroll import LstmUnroll
from i2vkit.models.motion_generators.noise import LabelFusion, NoiseGru

__all__ = ["DenseFlow", "LabelFusion", "LstmUnroll", "NoiseGru"]
