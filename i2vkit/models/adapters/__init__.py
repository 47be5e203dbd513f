"""Adapters, which connect two parts when one gives a field that the other cannot read."""

from i2vkit.models.adapters.adapters import (
    CodeToTrajectory,
    PointsToMaps,
    PointsToTrajectory,
    PyramidToCode,
    TrajectoryToCode,
    TrajectoryToFlow,
)

__all__ = [
    "CodeToTrajectory",
    "PointsToMaps",
    "PointsToTrajectory",
    "PyramidToCode",
    "TrajectoryToCode",
    "TrajectoryToFlow",
]
