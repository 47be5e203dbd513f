"""Adapters: each stands between two parts when one gives what the other does not read as it is."""

from i2vkit.models.adapters.adapters import (
    CodeToTrajectory,
    PointsToTrajectory,
    PyramidToCode,
    TrajectoryToCode,
    TrajectoryToFlow,
)

__all__ = ["CodeToTrajectory", "PointsToTrajectory", "PyramidToCode", "TrajectoryToCode", "TrajectoryToFlow"]
