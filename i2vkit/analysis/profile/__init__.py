"""Cost of a model: parameters, multiply-adds, activations, memory and time, by part and by phase of training."""

from i2vkit.analysis.profile.config import profile_config, profile_dry_run
from i2vkit.analysis.profile.counting import analyse
from i2vkit.analysis.profile.dry_run import DryRun
from i2vkit.analysis.profile.forward import lengths_of, profile_model, profile_parts
from i2vkit.analysis.profile.headers import StepMemory, check_header, check_headers, stated_memory, with_memory
from i2vkit.analysis.profile.measuring import Stopwatch, TensorMemory
from i2vkit.analysis.profile.profile_report import (
    ModelProfile,
    PartProfile,
    format_gib,
    format_profiles,
    profile_record,
)
from i2vkit.analysis.profile.training import dry_training, profile_training

__all__ = [
    "DryRun",
    "ModelProfile",
    "PartProfile",
    "StepMemory",
    "Stopwatch",
    "TensorMemory",
    "analyse",
    "format_gib",
    "profile_record",
    "format_profiles",
    "check_header",
    "check_headers",
    "dry_training",
    "lengths_of",
    "profile_config",
    "profile_dry_run",
    "profile_model",
    "profile_parts",
    "profile_training",
    "stated_memory",
    "with_memory",
]
