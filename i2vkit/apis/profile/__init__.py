"""What a model costs: parameters, multiply-adds, activations, memory and time, by part and by phase of training."""

from i2vkit.apis.profile.config import profile_config
from i2vkit.apis.profile.counting import analyse
from i2vkit.apis.profile.forward import lengths_of, profile_model, profile_parts
from i2vkit.apis.profile.measuring import Stopwatch, TensorMemory
from i2vkit.apis.profile.report import ModelProfile, PartProfile, as_json, as_table
from i2vkit.apis.profile.training import profile_training

__all__ = [
    "ModelProfile",
    "PartProfile",
    "Stopwatch",
    "TensorMemory",
    "analyse",
    "as_json",
    "as_table",
    "lengths_of",
    "profile_config",
    "profile_model",
    "profile_parts",
    "profile_training",
]
