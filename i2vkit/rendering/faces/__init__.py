"""Drawn faces: who (`Identity`), what they do (`Motion`), and how it looks (`FaceRenderer`)."""

from i2vkit.rendering.faces.cycles import SMILES, draw_cycle, draw_rest, draw_smile
from i2vkit.rendering.faces.expressions import EXPRESSIONS, Actions, Head, Motion, draw_motion, neutral_motion
from i2vkit.rendering.faces.identity import Identity, draw_identity
from i2vkit.rendering.faces.renderer import FaceRenderer

__all__ = [
    "EXPRESSIONS",
    "SMILES",
    "Actions",
    "FaceRenderer",
    "Head",
    "Identity",
    "Motion",
    "draw_cycle",
    "draw_identity",
    "draw_motion",
    "draw_rest",
    "draw_smile",
    "neutral_motion",
]
