"""Renderers that write the raw layouts of the data sets, with a truth of motion transfer that no data set has."""

from i2vkit.datasets.synthetic.expressions import EXPRESSIONS, Actions, Head, Motion, draw_motion, neutral_motion
from i2vkit.datasets.synthetic.face_renderer import FaceRenderer
from i2vkit.datasets.synthetic.identity import Identity, draw_identity
from i2vkit.datasets.synthetic.oulu_casia import synthesize_oulu_casia

SYNTHESIZERS = {"oulu_casia": synthesize_oulu_casia}

__all__ = [
    "EXPRESSIONS",
    "SYNTHESIZERS",
    "Actions",
    "FaceRenderer",
    "Head",
    "Identity",
    "Motion",
    "draw_identity",
    "draw_motion",
    "neutral_motion",
    "synthesize_oulu_casia",
]
