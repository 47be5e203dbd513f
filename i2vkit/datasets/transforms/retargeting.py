"""Condition maps of pairs of two people: what the source does, on the target's face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from i2vkit.datasets.index import ClipRecord
from i2vkit.errors import ConfigError
from i2vkit.registry import CONDITION_GENERATORS, TRANSFORMS, build_part

if TYPE_CHECKING:
    from i2vkit.conditions import Coefficients


@TRANSFORMS.register_module()
class RetargetMaps:
    """Draws the source's ``maps`` anew where the target is another person; stands after ``ReadMaps``.

    They then show the target's identity, in its place in the input image, with the source's expressions and what its
    head does (``retarget``). Both clips need the coefficients that preparation wrote beside the maps. Where somebody
    drives themselves the maps stay as they were read.

    Args:
        generator: What draws them; the same model as in preparation, and the frames' size.
    """

    def __init__(self, generator: dict):
        from i2vkit.conditions import FaceMaps  # conditions read clips, and so stand above the data sets

        self.generator = build_part(CONDITION_GENERATORS, generator)
        if not isinstance(self.generator, FaceMaps):
            raise ConfigError(f"RetargetMaps draws faces (FaceMaps), not by {type(self.generator).__name__}")
        self._kept: dict[str, Coefficients] = {}

    def __call__(self, sample: dict) -> dict:
        """Draw them for the source's frames.

        Raises:
            DataError: A clip has no coefficients, or those of another model.
            ConfigError: Frames of another size.
        """
        from i2vkit.conditions import retarget

        source, target = sample["takes"]["source"], sample["takes"].get("target")
        if target is None or target.record.person == source.record.person:
            return sample
        size = self.generator.size
        if source.frames is not None and source.frames.shape[1:3] != (size, size):
            height, width = source.frames.shape[1:3]
            raise ConfigError(
                f"RetargetMaps draws maps of {size}x{size}, the frames are {width}x{height}: set its size"
            )
        face = retarget(self._of(source.record), self._of(target.record), frame=int(target.indices[0]))
        source.maps = self.generator(face[source.indices])
        return sample

    def _of(self, record: ClipRecord) -> Coefficients:
        from i2vkit.conditions import coefficients_of

        if record.name not in self._kept:
            self._kept[record.name] = coefficients_of(record, self.generator.model)
        return self._kept[record.name]
