"""The driving clip of motion that fits a model, from what a user has given: a driving video, poses, maps, or
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2vkit.apis.driving import Driving
from i2vkit.apis.motion_sources.base import MotionSource
from i2vkit.apis.motion_sources.maps import ClipMaps, DrawnMaps
from i2vkit.apis.motion_sources.people import BodyPoses, FaceVideo
from i2vkit.apis.motion_sources.videos import DrivingVideo, SampledMotion
from i2vkit.apis.pictures import Picture
from i2vkit.conditions import FaceMaps, JointHeatmaps
from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.errors import ConfigError

# By the name of an argument: the option of ``i2v animate``, and what it is about.
_OPTIONS = {
    "poses": "--poses",
    "pose_lstm": "--pose-lstm",
    "landmarks": "--landmarks",
    "margin": "--margin",
    "background": "--background",
    "driving": "--driving",
}


def choose_source(
    reads_maps: bool,
    condition: ConditionGenerator | None,
    *,
    driving: Driving | MotionSource | None = None,
    poses: str | Path | np.ndarray | None = None,
    pose_lstm: str | Path | None = None,
    pose_config: str = "pose_lstm_penn",
    landmarks: Sequence[str | Path | np.ndarray] | None = None,
    margin: float | None = None,
    background: Picture | None = None,
    maps: Sequence[str | Path] | None = None,
    frames: int | None = None,
) -> MotionSource:
    """Return the driving clip of motion for a model, from what is given.

    Args:
        reads_maps: The model reads condition maps.
        condition: The condition generator that its data set declares; None where it declares none.
        driving: A driving video, or a driving clip of motion, which is returned as it is.
        poses: For ``BodyPoses``, as its arguments ``pose_lstm`` (``forecast_by``) and ``pose_config``.
        pose_lstm: See ``poses``.
        pose_config: See ``poses``.
        landmarks: For ``FaceVideo``, as is ``margin``.
        margin: See ``landmarks``.
        background: For ``DrawnMaps``.
        maps: One clip of a prepared set, or two, for ``ClipMaps``; any model that reads maps takes these.
        frames: Number of frames that are drawn or forecast.

    Raises:
        ConfigError: Nothing that moves such a model is given, or something that means nothing to it.
    """
    if isinstance(driving, MotionSource):
        return driving
    given = dict(poses=poses, pose_lstm=pose_lstm, landmarks=landmarks, margin=margin, background=background)
    given = {name for name, value in given.items() if value is not None}
    if not reads_maps:
        _refuse(given | ({"maps"} if maps else set()), "this model reads no condition maps")
        return SampledMotion(frames) if driving is None else DrivingVideo(driving)
    if frames is not None and pose_lstm is None:
        raise ConfigError("what drives this model says how many frames there are: leave frames (--frames) away")
    if maps:
        _refuse(given | ({"driving"} if driving is not None else set()), "the maps of a prepared clip (--maps) drive")
        return ClipMaps(*maps)
    if condition is None:
        raise ConfigError(
            "this model reads condition maps, and its data set does not declare what draws them "
            "(ReadMaps(condition_generator=...)): give a clip of a prepared set (--maps)"
        )
    if isinstance(condition, JointHeatmaps):
        _refuse(given - {"poses", "pose_lstm"}, "this model is driven by poses")
        if poses is None:
            raise ConfigError("this model is driven by poses: give --poses FILE, and --pose-lstm to have them forecast")
        return BodyPoses(poses, pose_lstm, pose_config, frames)
    if isinstance(condition, FaceMaps):
        _refuse(given - {"landmarks", "margin"}, "this model is driven by a video of a face")
        if driving is None:
            raise ConfigError("this model is driven by a video of a face: give --driving FILE")
        return FaceVideo(driving, landmarks, margin)
    name = type(condition).__name__
    _refuse(given - {"background"}, f"this model is driven by a video, of which {name} draws maps")
    if driving is None:
        raise ConfigError(
            f"this model is driven by a video, of which {name} draws maps: give --driving FILE, or the maps of a "
            f"prepared clip (--maps)"
        )
    return DrawnMaps(driving, background)


def _refuse(names: set[str], why: str) -> None:
    """Raise ``ConfigError`` if anything is given that means nothing."""
    if names:
        options = ", ".join(_OPTIONS.get(name, f"--{name}") for name in sorted(names))
        verb = "means" if len(names) == 1 else "mean"
        raise ConfigError(f"{why}: {options} {verb} nothing to it, leave that away")
