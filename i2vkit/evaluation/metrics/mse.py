"""Mean square error of videos, frame by frame."""

from __future__ import annotations

from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.evaluation.metrics.value_range import value_range
from i2vkit.registry import METRICS


def mse(video: Tensor, truth: Tensor, data_range: float | None = None) -> Tensor:
    """Return the mean square error of every frame over its pixels and colours, on a scale of 0 to 1.

    Args:
        video: (N, C, T, H, W), uint8 or float, from 0 to ``data_range``.
        truth: The same shape.
        data_range: The difference between the largest and the smallest possible value, which is 0. By default 255 for
            integers, and for floats of which one is above 1, see ``value_range``.

    Returns:
        (N, T), in double precision.

    Raises:
        RangeError: Values are out of range, or floats in [0, 1] of an unknown one.
        ValueError: Shapes are unequal or wrong.

    Examples:
        >>> import torch
        >>> black = torch.zeros(1, 3, 2, 8, 8, dtype=torch.uint8)
        >>> mse(black + 51, black)[0].tolist()  # (51 / 255)^2
        [0.04, 0.04]
    """
    check_pair(video, truth)
    data_range = value_range(video, truth, data_range)
    return (video.double() - truth.double()).square().mean(dim=(1, 3, 4)) / data_range**2


@METRICS.register_module()
class Mse(VideoMetric):
    """Mean square error of frames 1 to T-1 in [0, 1], averaged over frames, then over videos. Lower is better."""

    name = "mse"
    less_is_better = True

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, C, T, H, W), uint8, to (N, T)."""
        return mse(video, truth)
