"""The interface of condition generators."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from i2vkit.interfaces import Interface


class ConditionGenerator(Interface):
    """Draws condition maps of the frames of a clip. Registered in ``CONDITION_GENERATORS``.

    Attributes:
        channels: Number of maps a frame. ``model.map_channels`` of a model that reads them is the same number.

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
        """Draw maps uint8 (T, channels, H, W), 0 to 255 for [-1, 1].

        Args:
            known: What the maps are drawn of: joints, frames, or coefficients of a face model. Each generator says
                which.

        Raises:
            DataError: ``known`` has another shape or type.
        """
