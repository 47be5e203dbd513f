"""Generators of condition maps, for preparation, retargeting and animation."""

from i2vkit.conditions.coefficients import Coefficients, coefficients_of, read_coefficients, retarget
from i2vkit.conditions.face_landmarks import fitted_landmarks, retarget_landmarks
from i2vkit.conditions.face_maps import FaceMaps
from i2vkit.conditions.fitting import fit_clip
from i2vkit.conditions.joints import JointHeatmaps, fit_to_body
from i2vkit.conditions.morphable import MorphableModel
from i2vkit.conditions.procedural import procedural_model
from i2vkit.conditions.silhouettes import Silhouettes

__all__ = [
    "Coefficients",
    "FaceMaps",
    "JointHeatmaps",
    "MorphableModel",
    "Silhouettes",
    "coefficients_of",
    "fit_clip",
    "fit_to_body",
    "fitted_landmarks",
    "procedural_model",
    "read_coefficients",
    "retarget",
    "retarget_landmarks",
]
