"""The interface of frame encoders."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from i2vkit.interfaces import Interface


class FrameEncoder(nn.Module, Interface):
    """Encodes single frames for a motion encoder. Registered in ``FRAME_ENCODERS``.

    Attributes:
        features: Size of the vector of a frame.
    """

    attributes: ClassVar[tuple[str, ...]] = ("features",)
    features: int

    @abstractmethod
    def forward(self, frames: Tensor) -> Tensor:
        """Return vectors (N, features) of frames (N, 3, H, W) in [-1, 1]."""
