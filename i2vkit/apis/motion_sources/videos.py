"""Sources of motion for models without condition maps: a driving video, or a draw from the prior of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from i2vkit.apis.driving import Driving, driving_fps, driving_frames, readable_again
from i2vkit.apis.motion_sources.base import ModelFacts, MotionSource, PreparedMotion
from i2vkit.apis.variants import length_of


@dataclass
class DrivingVideo(MotionSource):
    """The motion of a video, which the motion encoder of a model reads.

    Args:
        driving: The video, in any form that ``driving_frames`` takes. Frames are cut to their centre square and resized
            to the model's size. They are read one at a time.
    """

    driving: Driving
    shows_driving = True

    def __post_init__(self) -> None:
        self.driving = readable_again(self.driving)

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``."""
        frames = (model.prepare(frame, "driving video") for frame in driving_frames(self.driving))
        return PreparedMotion(model.prepare(image, "image"), fps=driving_fps(self.driving), frames=frames)


@dataclass
class SampledMotion(MotionSource):
    """Motion that nothing drives. It comes from the label and the noise of a video.

    Args:
        frames: Number of frames. By default the length that the model was trained on.
    """

    frames: int | None = None
    driven = False

    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """See ``MotionSource``.

        Raises:
            ConfigError: The decoder cannot make videos of this length.
        """
        length = length_of(model.generator, self.frames, model.trained_length)
        return PreparedMotion(model.prepare(image, "image"), "prior", length=length)
