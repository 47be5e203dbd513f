"""Peak signal-to-noise ratio of videos, frame by frame."""

from __future__ import annotations

import logging
from statistics import fmean

import torch
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.evaluation.metrics.value_range import value_range
from i2vkit.registry import METRICS

# Two equal frames would score infinity, and so would every mean that contains them. No 8-bit frame of up to 220 x 220
# pixels that differs in a single value reaches this cap.
MAX_DECIBEL = 100.0


def psnr(video: Tensor, truth: Tensor, data_range: float | None = None) -> Tensor:
    """Return the peak signal-to-noise ratio of every frame in decibel: 10 log10(data_range^2 / mean square error).

    The error is that of one frame over all pixels and colours, never of a batch or a video, since the mean of
    logarithms is not the logarithm of a mean. Scores are capped at 100 dB, which is the score of equal frames.

    Args:
        video: (N, C, T, H, W), uint8 or float, from 0 to ``data_range``.
        truth: The same shape.
        data_range: The difference between the largest and the smallest possible value, which is 0. By default 255 for
            integers, and for floats of which one is above 1, see ``value_range``.

    Returns:
        (N, T) in decibel, in double precision.

    Raises:
        RangeError: Values are out of range, or floats in [0, 1] of an unknown one, or shapes are unequal or wrong.

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
    data_range = value_range(video, truth, data_range)
    error = (video.double() - truth.double()).square().mean(dim=(1, 3, 4))
    return (10 * torch.log10(data_range**2 / error)).clamp(max=MAX_DECIBEL)


@METRICS.register_module()
class Psnr(VideoMetric):
    """PSNR of frames 1 to T-1, averaged over frames, then over videos. See ``psnr``.

    Frames that equal their ground truth score 100 dB, which may lift the mean above everything that a model reaches.
    ``warning`` then says how many there are, and which mean the others have. ``per_video`` counts them as
    ``equal_frames``.
    """

    name = "psnr"
    warning: str | None = None

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, C, T, H, W), uint8, to (N, T) in decibel, at most 100."""
        return psnr(video, truth)

    def row(self, sample: dict, scores: Tensor | None) -> dict:
        """Return the result of one video, with the number of frames that equal their truth, if there are any."""
        equal = 0 if scores is None else int((scores[0] >= MAX_DECIBEL).sum())
        return super().row(sample, scores) | ({"equal_frames": equal} if equal else {})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the means, see ``VideoMetric``, and set ``warning``."""
        means = super().compute_metrics(results)
        self.warning = _equal_frames([row for row in results if row.get(self.name) is not None])
        if self.warning:
            print_log(f"{self.name}: {self.warning}", logger="current", level=logging.WARNING)
        return means


def _equal_frames(rows: list[dict]) -> str | None:
    """Return a warning about frames that equal their truth, or None if there are none."""
    videos = [row for row in rows if row.get("equal_frames")]
    if not videos:
        return None
    others = []
    for row in rows:
        count, equal = row["num_frames"] - 1, row.get("equal_frames", 0)  # frame 0 is given
        if count > equal:
            others.append((row["psnr"] * count - MAX_DECIBEL * equal) / (count - equal))
    without = f"the others have a mean of {fmean(others):.2f} dB" if others else "there are no others"
    frames = sum(row["equal_frames"] for row in videos)
    return (
        f"{frames} frames of {len(videos)} of {len(rows)} videos equal their ground truth, and count as "
        f"{MAX_DECIBEL:g} dB each: {without}"
    )
