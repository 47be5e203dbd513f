"""The choice of a source of motion that fits a model, from a driving video, poses or maps of a user."""

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
from i2vkit.models.generator_capabilities import GeneratorCapabilities

# The options of ``i2v animate`` by the names of the arguments.
_OPTIONS = {
    "poses": "--poses",
    "pose_lstm": "--pose-lstm",
    "landmarks": "--landmarks",
    "margin": "--margin",
    "background": "--background",
    "driving": "--driving",
}


def choose_source(
    generator: GeneratorCapabilities,
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
    faces: bool = False,
) -> MotionSource:
    """Return the source of motion for a model.

    Args:
        generator: The generator of the model, for what it reads.
        condition: The condition generator that its data set declares, or None.
        driving: A driving video, or a source of motion, which is returned as it is.
        poses: Poses for ``BodyPoses``, a file or an array.
        pose_lstm: Checkpoint of a pose LSTM for ``BodyPoses`` (``forecast_by``).
        pose_config: Config of ``pose_lstm``. Default "pose_lstm_penn".
        landmarks: Landmarks of image and driving video, for ``FaceVideo`` and for models of crops of faces.
        margin: The share of margin around the face for ``FaceVideo``.
        background: A picture of the empty scene for ``DrawnMaps``.
        maps: One clip of a prepared set, or two, for ``ClipMaps``. Every model that reads maps takes these.
        frames: Number of frames that are drawn or forecast.
        faces: True if the model was trained on crops of faces. Then it takes landmarks.

    Raises:
        ConfigError: An argument that such a model needs is missing, or one is given that it cannot use.
    """
    if isinstance(driving, MotionSource):
        return driving
    options = dict(poses=poses, pose_lstm=pose_lstm, landmarks=landmarks, margin=margin, background=background)
    given = {name for name, value in options.items() if value is not None}
    if generator.landmarks_read:
        _refuse(given - {"landmarks", "margin"} | ({"maps"} if maps else set()), "this model is driven by landmarks")
        if driving is None or frames is not None:
            raise ConfigError(
                "this model is driven by the landmarks of a video, which sets the number of frames: give --driving "
                "FILE, and leave --frames out"
            )
        return FaceVideo(driving, landmarks, margin)
    if not generator.reads_maps:
        usable = {"landmarks"} if faces else set()
        _refuse(given - usable | ({"maps"} if maps else set()), "this model reads no condition maps")
        return SampledMotion(frames, landmarks) if driving is None else DrivingVideo(driving, landmarks)
    if frames is not None and pose_lstm is None:
        raise ConfigError(
            "the poses, maps or video that drive this model set the number of frames: leave frames (--frames) out"
        )
    if maps:
        _refuse(given | ({"driving"} if driving is not None else set()), "the maps of a prepared clip (--maps) drive")
        return ClipMaps(*maps)
    if condition is None:
        raise ConfigError(
            "this model reads condition maps, and its data set does not declare a generator for them "
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
    """Raise ``ConfigError`` if ``names`` has arguments, which the model cannot use."""
    if names:
        options = ", ".join(_OPTIONS.get(name, f"--{name}") for name in sorted(names))
        verb = "means" if len(names) == 1 else "mean"
        raise ConfigError(f"{why}: {options} {verb} nothing to it, leave that away")
