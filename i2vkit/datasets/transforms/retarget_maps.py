"""The transform that draws the condition maps of a driving face on the identity in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSource
from i2vkit.errors import ConfigError
from i2vkit.registry import CONDITION_GENERATORS, TRANSFORMS, build_part

if TYPE_CHECKING:
    from i2vkit.conditions import Coefficients


@TRANSFORMS.register_module()
class RetargetMaps:
    """Draw the driving clip's ``maps`` again if the image shows another person. Put it after ``ReadMaps``.

    The maps then show the identity in the image, at its place in the image, with the driving clip's expressions and
    head motion (``retarget``). Both clips need the coefficients that preparation wrote beside the maps. If a person
    drives themselves, the maps stay as they were read.

    Args:
        generator: Config of the ``FaceMaps`` that draw them: the model of the preparation, at the frames' size.

    Raises:
        ConfigError: ``generator`` is of another kind.
    """

    def __init__(self, generator: dict):
        from i2vkit.conditions import FaceMaps  # imported late, because conditions import the data sets

        self.generator = build_part(CONDITION_GENERATORS, generator)
        if not isinstance(self.generator, FaceMaps):
            raise ConfigError(f"RetargetMaps draws faces (FaceMaps), not by {type(self.generator).__name__}")
        self._kept: dict[tuple[str, FrameSource], Coefficients] = {}

    def __call__(self, sample: dict) -> dict:
        """Draw the maps for the driving clip's frames.

        Raises:
            DataError: A clip has no coefficients, or those of another model.
            ConfigError: The frames have another size than the maps.
        """
        from i2vkit.conditions import retarget

        driving, image_video = sample["clips"]["driving"], sample["clips"].get("image_video")
        if image_video is None or image_video.record.person == driving.record.person:
            return sample
        size = self.generator.size
        if driving.frames is not None and driving.frames.shape[1:3] != (size, size):
            height, width = driving.frames.shape[1:3]
            raise ConfigError(
                f"RetargetMaps draws maps of {size}x{size}, the frames are {width}x{height}: set its size"
            )
        face = retarget(self._of(driving.record), self._of(image_video.record), frame=int(image_video.indices[0]))
        driving.maps = self.generator(face[driving.indices])
        return sample

    def _of(self, record: ClipRecord) -> Coefficients:
        from i2vkit.conditions import coefficients_of

        key = record.name, record.frames  # a protocol may take several spans of one clip
        if key not in self._kept:
            self._kept[key] = coefficients_of(record, self.generator.model)
        return self._kept[key]
