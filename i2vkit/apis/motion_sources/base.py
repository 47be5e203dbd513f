"""The interface of sources of motion: everything that can tell a model how to move an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from i2vkit.apis.driving import chunked
from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.models.generator import Generator


@dataclass(frozen=True)
class ModelFacts:
    """Everything that a driving clip of motion may ask about the model.

    Attributes:
        generator: The generator.
        image_size: Side of its videos in pixels.
        trained_length: Frames of the clips that it was trained on; None if its config does not say.
        condition_generator: Draws the condition maps that its data set declares; None where it declares none.
        prepare: Brings a frame (H, W, 3) to the size of the model. Its second argument says what the frame is, for the
            log.
    """

    generator: Generator
    image_size: int
    trained_length: int | None
    condition_generator: ConditionGenerator | None
    prepare: Callable[[np.ndarray, str], np.ndarray]


@dataclass(frozen=True)
class MotionChunk:
    """Some successive frames of a motion.

    Attributes:
        num_frames: How many.
        frames: The driving frames, uint8 (t, H, W, 3) at the model's size; None where no video drives.
        maps: Their condition maps, uint8 (t, M, H, W); None for a model that reads none.
    """

    num_frames: int
    frames: np.ndarray | None = None
    maps: np.ndarray | None = None


@dataclass(frozen=True)
class PreparedMotion:
    """A motion that is ready for a model, and the image that it shall move.

    Attributes:
        image: uint8 (H, W, 3) at the model's size.
        motion: "driving" if the motion encoder reads it, "prior" if it is drawn.
        fps: Frames a second, where the driving clip knows them.
        length: Number of frames; None where ``frames`` say it.
        frames: The driving frames, uint8 (H, W, 3) at the model's size, one at a time.
        maps: Condition maps, uint8 (T, M, H, W).
        image_maps: Those of the image, uint8 (M, H, W).
    """

    image: np.ndarray
    motion: str = "driving"
    fps: float | None = None
    length: int | None = None
    frames: Iterable[np.ndarray] | None = None
    maps: np.ndarray | None = None
    image_maps: np.ndarray | None = None

    def chunks(self, size: int | None) -> Iterator[MotionChunk]:
        """Yield the motion in chunks of ``size`` frames, or in one piece where that is None."""
        if self.frames is not None:
            for part in chunked(self.frames, size):
                yield MotionChunk(len(part), np.stack(part))
            return
        length = len(self.maps) if self.maps is not None else self.length
        for start in range(0, length, size or length):
            stop = min(start + (size or length), length)
            yield MotionChunk(stop - start, maps=None if self.maps is None else self.maps[start:stop])


class MotionSource(ABC):
    """Gives the motion of an animation. A call of the inferencer takes one as ``driving``.

    Examples:
        >>> import numpy as np
        >>> from i2vkit.apis.motion_sources import DrivingVideo
        >>> DrivingVideo(np.zeros((3, 8, 8, 3), np.uint8)).driven
        True
    """

    # Something drives the video; else label and noise alone make it, and ``frames`` may say how long it is.
    driven = True
    # The frames of a driving video stand beside the result.
    shows_driving = False

    @abstractmethod
    def prepare(self, image: np.ndarray, model: ModelFacts) -> PreparedMotion:
        """Bring the motion, and the image that it shall move, to a model.

        Args:
            image: uint8 (H, W, 3) of any size.
            model: The model.

        Raises:
            ConfigError: The model cannot be moved so.
            DataError: Something in the files does not fit.
        """
