"""A renderer of faces: a person (`FaceIdentity`), a motion (`FaceMotion`), and the drawing (`FaceRenderer`)."""

from i2vkit.rendering.faces.expression_cycles import SMILES, draw_cycle, draw_rest, draw_smile
from i2vkit.rendering.faces.expressions import (
    EXPRESSIONS,
    ActionUnits,
    FaceMotion,
    HeadPose,
    draw_motion,
    neutral_motion,
)
from i2vkit.rendering.faces.face_identity import FaceIdentity, draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer

__all__ = [
    "EXPRESSIONS",
    "SMILES",
    "ActionUnits",
    "FaceRenderer",
    "HeadPose",
    "FaceIdentity",
    "FaceMotion",
    "draw_cycle",
    "draw_identity",
    "draw_motion",
    "draw_rest",
    "draw_smile",
    "neutral_motion",
]
