"""The base class of condition generators."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from i2vkit.interfaces import Interface


class ConditionGenerator(Interface):
    """A generator of condition maps for the frames of a clip. Register yours in ``CONDITION_GENERATORS``.

    Attributes:
        channels: The number of maps for each frame. ``model.map_channels`` of a model that reads them is the same
            number.

    Examples:
        >>> import numpy as np
        >>> from i2vkit.conditions.interfaces import ConditionGenerator
        >>> class Brightness(ConditionGenerator):
        ...     channels = 1
        ...     def __call__(self, frames):  # uint8 (T, H, W, 3) to (T, 1, H, W)
        ...         return frames.mean(axis=3).astype(np.uint8)[:, None]
        >>> Brightness()(np.full((2, 4, 4, 3), 9, np.uint8)).shape
        (2, 1, 4, 4)
    """

    attributes: ClassVar[tuple[str, ...]] = ("channels",)
    channels: int

    @abstractmethod
    def __call__(self, known: Any) -> np.ndarray:
        """Draw maps uint8 (T, channels, H, W), in which 0 to 255 stands for [-1, 1].

        Args:
            known: The input of this generator: joints, frames, or coefficients of a face model.

        Raises:
            DataError: ``known`` has another shape or type.
        """
