"""Motion generators: from a code, a label or noise to the motion of every frame."""

from i2vkit.models.motion_generators.lstm_unroll import LstmUnroll

__all__ = ["LstmUnroll"]
