"""The interface of frame encoders."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from i2vkit.interfaces import Interface


class FrameEncoder(nn.Module, Interface):
    """Encodes single frames for a motion encoder. Registered in ``FRAME_ENCODERS``.

    Attributes:
        features: Size of the vector of a frame.

    Examples:
        >>> import torch
        >>> from i2vkit.models.interfaces import FrameEncoder
        >>> class MeanColour(FrameEncoder):
        ...     features = 3
        ...     def forward(self, frames):
        ...         return frames.mean(dim=(2, 3))  # (N, 3, H, W) -> (N, 3)
        >>> MeanColour()(torch.zeros(2, 3, 8, 8)).shape
        torch.Size([2, 3])
    """

    attributes: ClassVar[tuple[str, ...]] = ("features",)
    features: int

    @abstractmethod
    def forward(self, frames: Tensor) -> Tensor:
        """Return vectors (N, features) of frames (N, 3, H, W) in [-1, 1]."""
