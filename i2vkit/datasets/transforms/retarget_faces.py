"""The transforms that give the motion of a driving face to the person in the image: as condition maps, as landmarks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSource
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.errors import ConfigError, DataError
from i2vkit.registry import CONDITION_GENERATORS, TRANSFORMS, build_part

if TYPE_CHECKING:
    from i2vkit.conditions import Coefficients


class RetargetFaces(ABC):
    """Base class of the transforms that change the driving clip of a face into one of the person in the image.

    Both clips need the coefficients that preparation wrote beside the maps. If a person drives themselves, maps and
    landmarks stay as they were read.

    Args:
        generator: Config of the ``FaceMaps`` with the morphable model: that of the preparation, at the frames' size.

    Raises:
        ConfigError: ``generator`` is of another kind.
    """

    def __init__(self, generator: dict):
        from i2vkit.conditions import FaceMaps  # imported late, because conditions import the data sets

        self.generator = build_part(CONDITION_GENERATORS, generator)
        if not isinstance(self.generator, FaceMaps):
            raise ConfigError(f"{type(self).__name__} moves faces (FaceMaps), not {type(self.generator).__name__}")
        self._kept: dict[tuple[str, FrameSource], Coefficients] = {}

    def __call__(self, sample: dict) -> dict:
        """Change the driving clip.

        Raises:
            DataError: A clip has no coefficients, or those of another model.
            ConfigError: The frames have another size than the maps.
        """
        driving, image_video = sample["clips"]["driving"], sample["clips"].get("image_video")
        if image_video is None or image_video.record.person == driving.record.person:
            return sample
        size = self.generator.size
        if driving.frames is not None and driving.frames.shape[1:3] != (size, size):
            height, width = driving.frames.shape[1:3]
            raise ConfigError(
                f"{type(self).__name__} works at {size}x{size}, the frames are {width}x{height}: set its size"
            )
        self.retarget(driving, image_video)
        return sample

    @abstractmethod
    def retarget(self, driving: SampledClip, image_video: SampledClip) -> None:
        """Change ``driving`` into a clip of the person whose picture is the first frame of ``image_video``."""

    def face_of(self, record: ClipRecord) -> Coefficients:
        """Return the fitted face of all frames of a clip."""
        from i2vkit.conditions import coefficients_of

        key = record.name, record.frames  # a protocol may take several spans of one clip
        if key not in self._kept:
            self._kept[key] = coefficients_of(record, self.generator.model)
        return self._kept[key]


@TRANSFORMS.register_module()
class RetargetMaps(RetargetFaces):
    """Draw the driving clip's ``maps`` again if the image shows another person. Put it after ``ReadMaps``.

    The maps then show the identity in the image, at its place in the image, with the driving clip's expressions and
    head motion (``retarget``). Both clips need the coefficients that preparation wrote beside the maps. If a person
    drives themselves, the maps stay as they were read.

    Args:
        generator: Config of the ``FaceMaps`` that draw them: the model of the preparation, at the frames' size.

    Raises:
        ConfigError: ``generator`` is of another kind.
    """

    def retarget(self, driving: SampledClip, image_video: SampledClip) -> None:
        """Draw the maps for the driving clip's frames."""
        from i2vkit.conditions import retarget

        assert driving.indices is not None and image_video.indices is not None  # frames are sampled first
        frame = int(image_video.indices[0])
        face = retarget(self.face_of(driving.record), self.face_of(image_video.record), frame)
        driving.maps = self.generator(face[driving.indices])


@TRANSFORMS.register_module()
class RetargetLandmarks(RetargetFaces):
    """Make the driving clip's ``landmarks`` those of the person in the image. Put it after ``ReadPoints``.

    They then are places in the image, which ``GivenLandmarks(relative=False)`` reads (``retarget_landmarks``). Both
    clips need the coefficients that preparation wrote beside the maps. If a person drives themselves, the landmarks
    stay as they were read.

    Args:
        generator: Config of the ``FaceMaps`` with the morphable model: that of the preparation, at the frames' size.

    Raises:
        ConfigError: ``generator`` is of another kind.
    """

    def retarget(self, driving: SampledClip, image_video: SampledClip) -> None:
        """Move the landmarks of the driving clip's frames.

        Raises:
            DataError: A clip has no landmarks.
        """
        from i2vkit.conditions import retarget_landmarks

        moving, still = (_landmarks_of(sampled) for sampled in (driving, image_video))
        assert driving.indices is not None and image_video.indices is not None  # frames are sampled first
        face, pictured = self.face_of(driving.record), self.face_of(image_video.record)
        driving.landmarks = retarget_landmarks(
            self.generator.model, moving, face[driving.indices], still[0], pictured[image_video.indices[:1]]
        )


def _landmarks_of(sampled: SampledClip) -> np.ndarray:
    """Return the landmarks (T, N, 2). Raise ``DataError`` if there are none."""
    if sampled.landmarks is None:
        raise DataError(f"clip {sampled.record.name} has no landmarks, or RetargetLandmarks comes before ReadPoints")
    return sampled.landmarks
