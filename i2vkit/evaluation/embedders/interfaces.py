"""Interfaces of embedders, the networks by which metrics compare videos."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from i2vkit.interfaces import Interface


class Embedder(Interface):
    """A map from frames to vectors that are close for images of one person. Registered in ``EMBEDDERS``.

    Attributes:
        name: The name of the network, for the result's JSON.
        hashes: The SHA-256 of each file of weights by file name. Empty without files.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.embedders.interfaces import Embedder
        >>> class MeanColour(Embedder):
        ...     name, hashes = "mean colour", {}
        ...     def __call__(self, video):
        ...         return video.float().mean(dim=(2, 3)).T
        >>> MeanColour()(torch.ones(3, 8, 4, 4, dtype=torch.uint8)).shape
        torch.Size([8, 3])
    """

    attributes: ClassVar[tuple[str, ...]] = ("name", "hashes")
    name: str
    hashes: dict[str, str]

    @abstractmethod
    def __call__(self, video: Tensor) -> Tensor:
        """Return vectors (T, D) of the frames of a video (3, T, H, W), uint8."""


class VideoEmbedder(Interface):
    """A map from a whole video to one vector. Registered in ``VIDEO_EMBEDDERS``.

    Attributes:
        name: The name of the network, for the result's JSON.
        hashes: The SHA-256 of each file of weights by file name. Empty without files.
        min_frames: The length of the shortest video that the network takes, in frames.
    """

    attributes: ClassVar[tuple[str, ...]] = ("name", "hashes", "min_frames")
    name: str
    hashes: dict[str, str]
    min_frames: int

    @abstractmethod
    def __call__(self, video: Tensor) -> Tensor:
        """Return a vector (D,) of a video (3, T, H, W), uint8."""
