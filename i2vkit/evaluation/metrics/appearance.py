"""Similarity of the frames of a video to those of its ground truth in any order."""

from __future__ import annotations

from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.evaluation.metrics.ssim import ssim
from i2vkit.registry import METRICS


def nearest_ssim(video: Tensor, truth: Tensor) -> Tensor:
    """Return the SSIM of every frame with the nearest frame of the ground truth, by squared difference.

    Order, speed and presence of motion make no difference: a frame is good if it could be anywhere in the ground truth.
    Another person, blur and noise lower the score in any order.

    Args:
        video: (N, C, T, H, W), uint8 or float from 0 to 255.
        truth: The same shape.

    Returns:
        (N, T) in [-1, 1], in double precision. Frames of the ground truth score 1.

    Raises:
        ValueError: Shapes are unequal or wrong, or frames are smaller than SSIM's window.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import nearest_ssim
        >>> truth = torch.rand(1, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 255
        >>> [round(value, 6) for value in nearest_ssim(truth.flip(2), truth)[0].tolist()]
        [1.0, 1.0, 1.0, 1.0]
    """
    check_pair(video, truth)
    # (N, C, T, H, W) -> (N, T, C * H * W), in [0, 1] so that squares keep their digits.
    frames, others = (x.transpose(1, 2).flatten(2).float() / 255 for x in (video, truth))
    # |a - b|^2 without |a|^2, which is the same for all b: (N, T, T).
    apart = others.square().sum(2)[:, None] - 2 * frames @ others.mT
    nearest = apart.argmin(2)[:, None, :, None, None]  # (N, T) -> (N, 1, T, 1, 1)
    return ssim(video, truth.take_along_dim(nearest, dim=2))


@METRICS.register_module()
class Appearance(VideoMetric):
    """``appearance``: the SSIM of frames 1 to T-1 with their nearest frames of the ground truth, see ``nearest_ssim``.

    It is averaged over frames, then over videos.
    """

    name = "appearance"

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, C, T, H, W), uint8, to (N, T) in [-1, 1]."""
        return nearest_ssim(video, truth)
