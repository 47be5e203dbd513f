"""Losses for pre-training motion encoders without labels: the change since the first frame (ours)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from i2vkit.errors import ConfigError, DataError
from i2vkit.models.clip_lengths import frame_mask
from i2vkit.models.losses.base import Loss
from i2vkit.registry import LOSSES
from i2vkit.structures import VideoBatch

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.supervised_model import SupervisedContext


def frame_change(video: Tensor, side: int = 16) -> Tensor:
    """Return how the grey picture, averaged to ``side`` x ``side``, differs from that of the first frame.

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
    coarse = functional.avg_pool2d(grey, (grey.shape[2] // side, grey.shape[3] // side))  # (B, T, side, side)
    return rearrange(coarse - coarse[:, :1], "b t h w -> b t (h w)")


def landmark_change(clip: VideoBatch) -> Tensor:
    """Return the displacement of each landmark since the first frame: (B, T, N, 2) in pixels, NaN where unknown.

    Raises:
        DataError: If the clips have no landmarks.
    """
    if clip.landmarks is None:
        raise DataError(
            "a loss or a report reads the landmarks of clips that have none: put dict(type=ReadPoints, "
            "required=['landmarks']) behind ReadFrames in the pipeline, and prepare the set with landmarks"
        )
    return clip.landmarks - clip.landmarks[:, :1]  # (B, T, N, 2) - (B, 1, N, 2)


class _ChangeLoss(Loss):
    """A regression loss for a ``MotionRegressor``."""

    def check(self, model: Any) -> None:
        """Raise ``ConfigError`` if the network does not predict this change."""
        output = self.outputs[0]  # the one change that the loss reads
        if getattr(getattr(model, "network", None), output, None) is None:
            raise ConfigError(
                f"loss '{self.name}' reads '{output}': take a SupervisedModel whose network is a MotionRegressor, with "
                f"side=16 for frame_change and num_landmarks=68 for landmark_change"
            )


@LOSSES.register_module()
class FrameChangeLoss(_ChangeLoss):
    """The share of the coarse picture's change since the first frame that the states do not predict.

    It is the squared error over true frames, divided by the squared change of the batch: 0 for a perfect prediction, 1
    for the prediction that nothing moves. A decoder cannot show motion that the states do not hold, and states that
    were trained to distinguish actions need not hold the positions of the limbs.
    """

    outputs = ("frame_change",)

    def __init__(self, name: str | None = "frame_change", weight: float | Sequence = 1.0):
        super().__init__(name, weight)

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return sum (predicted - change)^2 / sum change^2."""
        predicted, clip = context.output("frame_change"), context.clip
        change = frame_change(clip.driving, context.model.network.side)  # (B, T, side * side)
        batch, length = change.shape[:2]
        mask = frame_mask(clip.num_frames, batch, length, change.device)[..., None]  # (B, T, 1)
        error = ((predicted - change).square() * mask).sum()
        # A batch in which nothing moves would divide by 0.
        return error / (change.square() * mask).sum().clamp(min=torch.finfo(change.dtype).tiny)


@LOSSES.register_module()
class LandmarkChangeLoss(_ChangeLoss):
    """The share of the landmarks' displacement since the first frame that the states do not predict.

    Each coordinate of each landmark counts alike: its squared error is divided by its own squared displacement in the
    batch, so that a jaw does not outweigh the brows. Unknown landmarks (NaN) and padding are left out.

    Args:
        min_displacement: The smallest displacement to divide by, in pixels; above 0.
        name: As of ``Loss``.
        weight: As of ``Loss``.

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

    def forward(self, context: "SupervisedContext") -> Tensor:
        """Return the mean over coordinates of E (predicted - change)^2 / max(E change^2, min_displacement^2)."""
        predicted, change = context.output("landmark_change"), landmark_change(context.clip)  # (B, T, N, 2) each
        batch, length = change.shape[:2]
        mask = frame_mask(context.clip.num_frames, batch, length, change.device)  # (B, T)
        known = change.isfinite() & mask[..., None, None]  # (B, T, N, 2)
        number = known.sum(dim=(0, 1)).clamp(min=1)  # (N, 2): frames in which a coordinate is known
        change = torch.where(known, change, 0.0)
        # Mean squares of each coordinate: (B, T, N, 2) -> (N, 2).
        size = change.square().sum(dim=(0, 1)) / number
        error = torch.where(known, predicted - change, 0.0).square().sum(dim=(0, 1)) / number
        return (error / size.clamp(min=self.min_displacement**2)).mean()
