"""Whether the frames of a video look like those of its ground truth, whatever order they come in."""

from __future__ import annotations

from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.evaluation.metrics.ssim import ssim
from i2vkit.registry import METRICS


def nearest_ssim(video: Tensor, truth: Tensor) -> Tensor:
    """For every frame its SSIM with the nearest frame of the ground truth, that of the least squared difference.

    Order and pace of the frames, and whether they move at all, make no difference: a frame counts as good that could
    stand anywhere in the ground truth. Another person, blur and noise are seen in any order.

    Args:
        video: (N, C, T, H, W), uint8 or float from 0 to 255.
        truth: the same shape.

    Returns:
        (N, T) in [-1, 1], in double precision; 1 for frames of the ground truth.

    Raises:
        ValueError: unequal or wrong shapes, or frames smaller than SSIM's window.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import nearest_ssim
        >>> truth = torch.rand(1, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 255
        >>> [round(value, 6) for value in nearest_ssim(truth.flip(2), truth)[0].tolist()]
        [1.0, 1.0, 1.0, 1.0]
    """
    check_pair(video, truth)
    # (N, C, T, H, W) -> (N, T, C * H * W); on [0, 1], so that squares keep their digits.
    frames, others = (x.transpose(1, 2).flatten(2).float() / 255 for x in (video, truth))
    apart = others.square().sum(2)[:, None] - 2 * frames @ others.mT  # the frame's own square is the same for all
    nearest = apart.argmin(2)[:, None, :, None, None]
    return ssim(video, truth.take_along_dim(nearest, dim=2))


@METRICS.register_module()
class Appearance(VideoMetric):
    """``appearance``: the SSIM of frames 1 to T-1 with the nearest of those of the ground truth, per frame, then per
    video, then overall; see :func:`nearest_ssim`.
    """

    name = "appearance"

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """(N, C, T, H, W) uint8 twice -> (N, T) in [-1, 1]."""
        return nearest_ssim(video, truth)
