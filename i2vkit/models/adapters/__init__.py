"""Adapters: each stands between two parts when one gives what the other does not read as it is."""

from i2vkit.models.adapters.adapters import CodeToTrajectory, PyramidToCode, TrajectoryToCode

__all__ = ["CodeToTrajectory", "PyramidToCode", "TrajectoryToCode"]
