"""The interfaces of embedders: networks that metrics compare videos by."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from i2vkit.interfaces import Interface


class Embedder(Interface):
    """Gives every frame a vector, near for pictures of one person. Registered in ``EMBEDDERS``.

    Attributes:
        name: Of the network, for the result's JSON.
        hashes: SHA-256 of every file of weights, by file name; empty without one.

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
    """Gives a whole video one vector. Registered in ``VIDEO_EMBEDDERS``.

    Attributes:
        name: Of the network, for the result's JSON.
        hashes: SHA-256 of every file of weights, by file name; empty without one.
        min_frames: The shortest video that the network takes, in frames.
    """

    attributes: ClassVar[tuple[str, ...]] = ("name", "hashes", "min_frames")
    name: str
    hashes: dict[str, str]
    min_frames: int

    @abstractmethod
    def __call__(self, video: Tensor) -> Tensor:
        """Return a vector (D,) of a video (3, T, H, W), uint8."""
