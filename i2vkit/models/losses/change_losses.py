"""Losses of motion encoders that are pre-trained without labels: what has changed since the first frame (ours)."""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError, DataError
from i2vkit.models.clip_lengths import frame_mask
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES
from i2vkit.structures import VideoBatch


def frame_change(video: Tensor, side: int = 16) -> Tensor:
    """How the grey picture, averaged to ``side`` x ``side``, differs from that of the first frame.

    Args:
        video: (B, C, T, H, W).
        side: A divisor of height and width.

    Returns:
        (B, T, side * side), in the values of the video.

    Examples:
        >>> video = torch.zeros(1, 3, 2, 4, 4)
        >>> video[:, :, 1, :2, :2] = 0.5
        >>> frame_change(video, side=2)[0].tolist()
        [[0.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0]]
    """
    grey = video.mean(dim=1)  # (B, T, H, W): frames take the place of channels
    coarse = functional.avg_pool2d(grey, (grey.shape[2] // side, grey.shape[3] // side))
    return rearrange(coarse - coarse[:, :1], "b t h w -> b t (h w)")


def landmark_change(clip: VideoBatch) -> Tensor:
    """How far each landmark lies from where it was in the first frame: (B, T, N, 2) in pixels, NaN where not known.

    Raises:
        DataError: The clips have no landmarks.
    """
    if clip.landmarks is None:
        raise DataError(
            "landmarks are to be told, and the clips have none: put dict(type=ReadPoints, required=['landmarks']) "
            "behind ReadFrames in the pipeline, and prepare the set with landmarks"
        )
    return clip.landmarks - clip.landmarks[:, :1]


class _ChangeLoss(Loss):
    """A regression by a ``MotionRegressor``."""

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the network does not tell this change."""
        [output] = self.outputs
        if getattr(getattr(model, "network", None), output, None) is None:
            raise ConfigError(
                f"loss '{self.name}' reads '{output}': take a SupervisedModel whose network is a MotionRegressor, with "
                f"side=16 for frame_change and num_landmarks=68 for landmark_change"
            )


@LOSSES.register_module()
class FrameChangeLoss(_ChangeLoss):
    """The share of the coarse picture's change since the first frame that the states do not tell.

    Squared error over true frames, divided by the squared change of the batch: 0 if all is told, 1 for who says that
    nothing moves. A decoder cannot show what the states do not tell, and states that were trained to tell actions apart
    need not tell where the limbs are.
    """

    outputs = ("frame_change",)

    def __init__(self, name: str | None = "frame_change", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context) -> Tensor:
        """sum (told - change)^2 / sum change^2."""
        told, clip = context.output("frame_change"), context.clip
        change = frame_change(clip.driving, context.model.network.side)
        mask = frame_mask(clip.num_frames, *change.shape[:2], change.device)[..., None]
        error = ((told - change).square() * mask).sum()
        return error / (change.square() * mask).sum().clamp(min=torch.finfo(change.dtype).tiny)


@LOSSES.register_module()
class LandmarkChangeLoss(_ChangeLoss):
    """The share of the landmarks' displacement since the first frame that the states do not tell.

    Each coordinate of each landmark counts alike: its squared error is divided by its own squared displacement in the
    batch, at least ``min_displacement`` pixels squared, so that a jaw does not outweigh the brows. Landmarks that are
    not known (NaN) and padding are left out.

    Args:
        min_displacement: In pixels; above 0.

    Raises:
        ConfigError: If ``min_displacement`` is not above 0.
    """

    outputs = ("landmark_change",)

    def __init__(
        self, min_displacement: float = 0.2, name: str | None = "landmark_change", weight: float | Sequence = 1.0
    ):
        super().__init__(name, weight)
        if min_displacement <= 0:
            raise ConfigError(
                f"loss '{self.name}' divides by min_displacement pixels at least: {min_displacement} is not above 0"
            )
        self.min_displacement = min_displacement

    def forward(self, context) -> Tensor:
        """The mean over coordinates of E (told - change)^2 / max(E change^2, min_displacement^2)."""
        told, change = context.output("landmark_change"), landmark_change(context.clip)
        mask = frame_mask(context.clip.num_frames, *change.shape[:2], change.device)
        known = change.isfinite() & mask[..., None, None]
        number = known.sum(dim=(0, 1)).clamp(min=1)  # (N, 2): frames in which a coordinate is known
        change = torch.where(known, change, 0.0)
        size = change.square().sum(dim=(0, 1)) / number
        error = torch.where(known, told - change, 0.0).square().sum(dim=(0, 1)) / number
        return (error / size.clamp(min=self.min_displacement**2)).mean()
