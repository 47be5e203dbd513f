"""The interfaces of heads and refiners."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from i2vkit.interfaces import Interface


class Head(nn.Module, Interface):
    """Turns the features of a decoder or refiner into a video. It has no weights. Registered in ``HEADS``.

    Attributes:
        channels: Number of channels that the head reads, 1 or more.
        reads_base: True if the head reads the base too. Default False.
        identity_bias: Features, one number for each channel, with which an untrained refiner begins, so that the first
            refined video is close to its base. Empty, the default: the refiner begins as it is initialised.

    Examples:
        >>> import torch
        >>> from i2vkit.models.interfaces import Head
        >>> class SigmoidHead(Head):
        ...     channels = 3
        ...     def forward(self, features, base):
        ...         return dict(video=2 * torch.sigmoid(features) - 1)
        >>> SigmoidHead()(torch.zeros(1, 3, 2, 8, 8), base=None)["video"].abs().max().item()
        0.0
    """

    attributes: ClassVar[tuple[str, ...]] = ("channels",)
    optional: ClassVar[tuple[str, ...]] = ("identity_bias",)
    # Of the class, or of the object where an argument of the head decides.
    channels: int
    reads_base: bool = False
    identity_bias: tuple[float, ...] = ()

    @abstractmethod
    def forward(self, features: Tensor, base: Tensor) -> dict[str, Tensor]:
        """Return the video and the tensors that it was made from.

        Args:
            features: Output of the decoder or refiner, (B, channels, T, H, W), unbounded.
            base: Video or image to start from, (B, 3, T or 1, H, W) in [-1, 1].

        Returns:
            ``video`` (B, 3, T, H, W) in [-1, 1], and where the head makes them ``mask``, ``residual``, ``base`` and
            ``flow``, as in ``Generated``.
        """

    def problem(self) -> str:
        """Return why ``channels`` is not a number above 0, or ""."""
        channels = self.channels
        return "" if isinstance(channels, int) and channels > 0 else f"has channels={channels!r}, not a number above 0"


class Refiner(nn.Module, Interface):
    """Makes features of a better video from a complete generated one. Registered in ``REFINERS``.

    Its constructor may ask for ``image_size``, ``map_channels``, ``out_channels`` and the ``identity_bias`` of the
    head.

    Examples:
        >>> import torch
        >>> from i2vkit.models.interfaces import Refiner
        >>> class Sharpen(Refiner):
        ...     def __init__(self, out_channels: int):
        ...         super().__init__()
        ...         self.convolution = torch.nn.Conv3d(3, out_channels, (1, 3, 3), padding=(0, 1, 1))
        ...     def forward(self, video, maps):
        ...         return self.convolution(video)
        >>> Sharpen(out_channels=4)(torch.zeros(1, 3, 5, 8, 8), maps=None).shape
        torch.Size([1, 4, 5, 8, 8])
    """

    @abstractmethod
    def forward(self, video: Tensor, maps: Tensor | None) -> Tensor:
        """Return features (B, out_channels, T, H, W) for the head.

        Args:
            video: The coarse video (B, 3, T, H, W) in [-1, 1].
            maps: Condition maps (B, M, T, H, W) of the driving clip, or None if the model has none.
        """
