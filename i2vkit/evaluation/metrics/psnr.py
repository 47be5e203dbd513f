"""Peak signal-to-noise ratio of videos, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS

# Two equal frames would score infinity, and so would every mean that contains them. No 8-bit frame of up to 220 x 220
# pixels that differs in a single value reaches this cap.
MAX_DECIBEL = 100.0


def psnr(video: Tensor, truth: Tensor, data_range: float = 255.0) -> Tensor:
    """Return the peak signal-to-noise ratio of every frame in decibel: 10 log10(data_range^2 / mean square error).

    The error is that of one frame over all pixels and colours, never of a batch or a video, since the mean of
    logarithms is not the logarithm of a mean. Scores are capped at 100 dB, which is the score of equal frames.

    Args:
        video: (N, C, T, H, W), uint8 or float, on the scale of ``data_range``.
        truth: The same shape.
        data_range: The difference between the largest and the smallest possible value. By default 255.

    Returns:
        (N, T) in decibel, in double precision.

    Raises:
        ValueError: Shapes are unequal or wrong.

    Examples:
        >>> import torch
        >>> from i2vkit.evaluation.metrics import psnr
        >>> black = torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8)
        >>> psnr(black + 255, black).tolist()  # as wrong as can be
        [[0.0, 0.0]]
        >>> [round(value, 3) for value in psnr(black + 1, black)[0].tolist()]  # 20 log10(255)
        [48.131, 48.131]
        >>> psnr(black, black).tolist()
        [[100.0, 100.0]]
    """
    check_pair(video, truth)
    error = (video.double() - truth.double()).square().mean(dim=(1, 3, 4))
    return (10 * torch.log10(data_range**2 / error)).clamp(max=MAX_DECIBEL)


@METRICS.register_module()
class Psnr(VideoMetric):
    """PSNR of frames 1 to T-1, averaged over frames, then over videos. See ``psnr``."""

    name = "psnr"

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, C, T, H, W), uint8, to (N, T) in decibel, at most 100."""
        return psnr(video, truth)
