"""Motion generators: from a code, a label or noise to the motion of every frame."""

from i2vkit.models.motion_generators.lstm_unroll import LstmUnroll
from i2vkit.models.motion_generators.noise import LabelFusion, NoiseGru

__all__ = ["LabelFusion", "LstmUnroll", "NoiseGru"]
