"""The interface of sources of motion, which tell a model how to move an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from i2vkit.apis.driving import chunked
from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.models.generator import Generator
from i2vkit.preparation.pipeline import Framing


@dataclass(frozen=True)
class ModelFacts:
    """The facts about a model that a source of motion may need.

    Attributes:
        generator: The generator.
        image_size: Side of its videos in pixels.
        trained_length: Frames of the clips that it was trained on, or None if its config does not say.
        condition_generator: Draws the condition maps that its data set declares, or None if it declares none.
        framing: The crop of the faces that it was trained on, or None if these were not cut out around faces.
        prepare: Brings a frame (H, W, 3) to the size of the model. Its second argument names the frame for the log.
    """

    generator: Generator
    image_size: int
    trained_length: int | None
    condition_generator: ConditionGenerator | None
    prepare: Callable[[np.ndarray, str], np.ndarray]
    framing: Framing | None = None


@dataclass(frozen=True)
class MotionChunk:
    """Some successive frames of a motion.

    Attributes:
        num_frames: Their number.
        frames: The driving frames, uint8 (t, H, W, 3) at the model's size, or None if no video drives.
        maps: Their condition maps, uint8 (t, M, H, W), or None for a model that reads none.
        landmarks: Their landmarks (t, N, 2) in pixels, or None for a model that reads none.
    """

    num_frames: int
    frames: np.ndarray | None = None
    maps: np.ndarray | None = None
    landmarks: np.ndarray | None = None


@dataclass(frozen=True)
class PreparedMotion:
    """A motion that is ready for a model, and the image that it moves.

    Attributes:
        image: uint8 (H, W, 3) at the model's size.
        motion: "driving" if the motion encoder reads it, "prior" if it is drawn.
        fps: Frames a second, if the source knows them.
        length: Number of frames, or None if ``frames``, ``maps`` or ``landmarks`` give it.
        frames: The driving frames, uint8 (H, W, 3) at the model's size, one at a time.
        maps: Condition maps, uint8 (T, M, H, W).
        image_maps: Condition maps of the image, uint8 (M, H, W).
        landmarks: Landmarks of the driving face, (T, N, 2) in pixels of the model's videos.
        image_landmarks: Landmarks of the face in the image, (N, 2) in its pixels.
    """

    image: np.ndarray
    motion: str = "driving"
    fps: float | None = None
    length: int | None = None
    frames: Iterable[np.ndarray] | None = None
    maps: np.ndarray | None = None
    image_maps: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    image_landmarks: np.ndarray | None = None

    def chunks(self, size: int | None) -> Iterator[MotionChunk]:
        """Yield the motion in chunks of ``size`` frames, or in one piece if that is None."""
        if self.frames is not None:
            for part in chunked(self.frames, size):
                yield MotionChunk(len(part), np.stack(part))  # t times (H, W, 3) -> (t, H, W, 3)
            return
        given = [values for values in (self.maps, self.landmarks) if values is not None]
        length = len(given[0]) if given else self.length
        assert length is not None  # a motion has frames, maps, landmarks or a length
        for start in range(0, length, size or length):
            span = slice(start, min(start + (size or length), length))
            maps, landmarks = (None if values is None else values[span] for values in (self.maps, self.landmarks))
            yield MotionChunk(span.stop - start, maps=maps, landmarks=landmarks)


class MotionSource(ABC):
    """A source of the motion of an animation. A call of the inferencer takes one as ``driving``.

    Examples:
        >>> import numpy as np
        >>> from i2vkit.apis.motion_sources import DrivingVideo
        >>> DrivingVideo(np.zeros((3, 8, 8, 3), np.uint8)).driven
        True
    """

    # True if the video is driven. Otherwise label and noise alone make it, and ``frames`` may set its length.
    driven = True
    # True if the frames of a driving video are shown beside the result.
    shows_driving = False

    @abstractmethod
    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """Bring the motion, and the image that it moves, to a model.

        Args:
            image: uint8 (H, W, 3) of any size.
            model: The facts about the model.

        Raises:
            ConfigError: The model cannot be moved this way.
            DataError: The content of a file does not fit.
        """
