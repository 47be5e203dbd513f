"""The range of the values of videos, which scores such as SSIM depend on."""

from __future__ import annotations

from torch import Tensor

from i2vkit.errors import RangeError
from i2vkit.values import refuse_values


def value_range(video: Tensor, truth: Tensor, data_range: float | None) -> float:
    """Return the difference between the largest and the smallest possible value of two videos.

    Args:
        video: A video of any shape, with values from 0 to that number.
        truth: Another one.
        data_range: That number, if it is known. By default it is 255 for integers, and for floats of which one is above
            1.

    Raises:
        ConfigError: ``data_range`` is no number above 0.
        RangeError: Values are outside of 0 to ``data_range`` or not finite, or floats are all in [0, 1] and it is not
            given: they may be a dark video on the scale of 255, or any on the scale of 1.

    Examples:
        >>> import torch
        >>> value_range(torch.zeros(2, dtype=torch.uint8), torch.ones(2, dtype=torch.uint8), None)
        255.0
        >>> value_range(torch.rand(8), torch.rand(8), 1)
        1.0
    """
    refuse_values(data_range=(data_range, float | None))
    low = min(float(video.min()), float(truth.min()))
    high = max(float(video.max()), float(truth.max()))
    floats = video.is_floating_point() or truth.is_floating_point()
    if data_range is None:
        if floats and 0 <= low <= high <= 1:
            raise RangeError(
                f"videos of floats from {low:g} to {high:g}: say data_range=1, or data_range=255 if these are dark "
                f"videos on that scale"
            )
        data_range = 255.0
    slack = 1e-3 * data_range if floats else 0.0  # of rounding
    if not -slack <= low <= high <= data_range + slack:  # also if one is not a number
        raise RangeError(
            f"values from {low:g} to {high:g}, and not from 0 to {data_range:g}: give videos on that scale, or another "
            f"data_range. Values in [-1, 1] become those in [0, 1] by (x + 1) / 2"
        )
    return float(data_range)
