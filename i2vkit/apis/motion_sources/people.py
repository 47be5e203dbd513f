"""Sources of motion of people: the poses of a body, or the video of another face, as condition maps or landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2vkit.apis.driving import Driving, driving_fps, readable_again
from i2vkit.apis.forecasting import load_pose_lstm
from i2vkit.apis.map_driving import body_maps, face_maps, face_points, read_landmarks, read_poses
from i2vkit.apis.motion_sources.base import ModelFacts, MotionSource, PreparedMotion
from i2vkit.apis.motion_sources.maps import with_maps
from i2vkit.conditions import FaceMaps, retarget_landmarks
from i2vkit.models import PoseLstm
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.face_crops import face_framing

DEFAULT_FORECAST = 32


@dataclass
class BodyPoses(MotionSource):
    """The poses of a body, which become heatmaps of its joints.

    Args:
        poses: CSV of 13 joints a frame (``frame,x0,y0,...``) in pixels of the image, or an array (T, 13, 2). The first
            pose is that of the image.
        forecast_by: A pose LSTM, or its checkpoint, that forecasts the poses after ``poses``. The last of ``poses`` is
            then that of the image.
        forecast_config: The config of that checkpoint. Default "pose_lstm_penn".
        frames: Number of poses to forecast. Default 32.
    """

    poses: str | Path | np.ndarray
    forecast_by: str | Path | PoseLstm | None = None
    forecast_config: str = "pose_lstm_penn"
    frames: int | None = None

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            DataError: As ``body_maps``.
        """
        network = self.forecast_by
        if isinstance(network, str | Path):
            network = load_pose_lstm(self.forecast_config, network)
        poses = self.poses if isinstance(self.poses, np.ndarray) else read_poses(self.poses)
        made = body_maps(image, poses, model.image_size, network, self.frames or DEFAULT_FORECAST)
        return with_maps(model.prepare(image, "image"), made.maps, made.image_maps, None, model)


@dataclass
class FaceVideo(MotionSource):
    """A video of a face and its landmarks. The face of the image gets its motion.

    The landmarks become normal maps, for a model that reads maps. Another model reads the landmarks themselves, which
    are first made those of the person in the image if its data are tested so (``RetargetLandmarks``).

    Image and video are cut out around the face as the training data were, unless they are such crops already.

    Args:
        driving: The video, in any form that ``driving_frames`` takes.
        landmarks: CSV files of the landmarks of image and driving video (68 or 5 points), or arrays (1, N, 2) and (T,
            N, 2), in pixels. By default they are detected in the pictures (extra ``faces``).
        margin: The share of margin around the face, from 0 to 2. By default that of the training data, if the config
            states it, or that of a prepared MUG.
    """

    driving: Driving
    landmarks: Sequence[str | Path | np.ndarray] | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        self.driving = readable_again(self.driving)

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            DataError: As ``face_maps``.
            ConfigError: The margin is out of range.
        """
        size, known, framing = model.image_size, model.condition_generator, model.framing
        points: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
        if self.landmarks is not None:
            of_image, of_driving = (
                one if isinstance(one, np.ndarray) else read_landmarks(one) for one in self.landmarks
            )
            points = of_image, of_driving
        reads_points = model.generator.landmarks_read > 0
        if self.margin is not None or framing is None or not (reads_points or isinstance(framing, FirstFrameBox)):
            framing = face_framing("box", size, self.margin)
        fps = driving_fps(self.driving)
        if reads_points:
            seen = face_points(image, self.driving, framing, points)
            still, moving = seen.image_landmarks[0], seen.landmarks
            if isinstance(known, FaceMaps):
                moving = retarget_landmarks(known.model, moving, known.fit(moving), still, known.fit(still[None]))
            return PreparedMotion(model.prepare(seen.image, "image"), fps=fps, landmarks=moving, image_landmarks=still)
        assert isinstance(framing, FirstFrameBox)  # "box" is its name
        generator = known if isinstance(known, FaceMaps) else None
        made = face_maps(image, self.driving, size, points, generator, framing)
        assert made.image is not None  # ``face_maps`` cuts it out
        return with_maps(model.prepare(made.image, "image"), made.maps, made.image_maps, fps, model)
