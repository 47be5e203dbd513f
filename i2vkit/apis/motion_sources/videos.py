"""Sources of motion for models without condition maps: a driving video, or a draw from the prior of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2vkit.apis.driving import Driving, driving_fps, driving_frames, readable_again
from i2vkit.apis.face_preparation import given_landmarks, prepare_face, prepare_faces
from i2vkit.apis.motion_sources.base import ModelFacts, MotionSource, PreparedMotion
from i2vkit.apis.variants import length_of


@dataclass
class DrivingVideo(MotionSource):
    """The motion of a video, which the motion encoder of a model reads.

    For a model that was trained on crops of faces, image and video are cut out around the face in the same way, unless
    they are such crops already. Otherwise frames are cut to their centre square and resized to the model's size.

    Args:
        driving: The video, in any form that ``driving_frames`` takes. Frames are read one at a time.
        landmarks: CSV files of the landmarks of image and driving video (68 or 5 points), or arrays (1, N, 2) and (T,
            N, 2), in pixels. By default they are detected in the pictures (extra ``faces``).
    """

    driving: Driving
    landmarks: Sequence[str | Path | np.ndarray] | None = None
    shows_driving = True

    def __post_init__(self) -> None:
        self.driving = readable_again(self.driving)

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``."""
        image, frames = framed_image(image, model, self.landmarks), driving_frames(self.driving)
        if model.framing is not None:
            frames = prepare_faces(self.driving, model.framing, "driving video", given_landmarks(self.landmarks, 1))
        frames = (model.prepare(frame, "driving video") for frame in frames)
        return PreparedMotion(model.prepare(image, "image"), fps=driving_fps(self.driving), frames=frames)


@dataclass
class SampledMotion(MotionSource):
    """Motion that nothing drives. It comes from the label and the noise of a video.

    Args:
        frames: Number of frames. By default the length that the model was trained on.
        landmarks: The landmarks of the image, for models of faces, see ``DrivingVideo``.
    """

    frames: int | None = None
    landmarks: Sequence[str | Path | np.ndarray] | None = None
    driven = False

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            ConfigError: The decoder cannot make videos of this length.
        """
        length = length_of(model.generator, self.frames, model.trained_length)
        image = framed_image(image, model, self.landmarks)
        return PreparedMotion(model.prepare(image, "image"), "prior", length=length)


def framed_image(
    image: np.ndarray, model: ModelFacts, landmarks: Sequence[str | Path | np.ndarray] | None
) -> np.ndarray:
    """Return an image, uint8 (H, W, 3), cut out around its face if the model was trained on such crops."""
    if model.framing is None:
        return image
    return prepare_face(image, model.framing, "image", given_landmarks(landmarks, 0))
