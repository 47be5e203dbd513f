"""PSNR as code counts it that pools a batch of videos: to compare with its numbers, not for new ones."""

from __future__ import annotations

from math import log10
from statistics import fmean

from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.evaluation.metrics.base import VideoMetric
from i2vkit.evaluation.metrics.mse import mse
from i2vkit.evaluation.metrics.psnr import MAX_DECIBEL
from i2vkit.registry import METRICS


def psnr_per_batch(errors: list[float], size: int) -> float:
    """Mean over batches of the PSNR of each batch's mean square error, at most 100 dB; the last batch may be smaller.

    Never more than the mean PSNR of the videos, as the logarithm is concave; and it moves with ``size``, which is why
    ``psnr`` counts by frame.

    Args:
        errors: mean square error of each video on a scale of 0 to 1, in the order of the samples.
        size: videos in a batch.

    Examples:
        >>> psnr_per_batch([0.1, 0.001], 1)  # the mean of 10 and 30 dB
        20.0
        >>> round(psnr_per_batch([0.1, 0.001], 2), 3)  # 10 log10(1 / 0.0505)
        12.967
    """
    batches = [fmean(errors[start : start + size]) for start in range(0, len(errors), size)]
    return fmean(min(-10 * log10(error), MAX_DECIBEL) if error > 0 else MAX_DECIBEL for error in batches)


@METRICS.register_module()
class PsnrPerBatch(VideoMetric):
    """PSNR of frames 1 to T-1 in the per-batch compatibility mode: ``psnr_per_batch_<N>``. See :func:`psnr_per_batch`.

    A number of a batch is none of a video: ``per_video`` stays empty, and there is no interval.

    Args:
        batch_size: N, videos whose errors are pooled, as they come.
        prefix, collect_device: as in ``VideoMetric``.

    Raises:
        ConfigError: a size below 1.
    """

    def __init__(self, batch_size: int, prefix: str | None = None, collect_device: str = "cpu") -> None:
        if batch_size < 1:
            raise ConfigError(f"PSNR per batch needs a batch of 1 video or more, not {batch_size}")
        self.batch_size, self.name = batch_size, f"psnr_per_batch_{batch_size}"
        super().__init__(prefix, collect_device)

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Mean square errors: (N, C, T, H, W) uint8 twice -> (N, T), on a scale of 0 to 1."""
        return mse(video, truth)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The name, ``_floor`` and ``_gain``, of the videos that have a truth."""
        means = super().compute_metrics(results)
        scored = [row for row in self.per_video if row[self.name] is not None]
        self.per_video = []
        if not means:
            return {}
        score, floor = (
            psnr_per_batch([row[self.name + end] for row in scored], self.batch_size) for end in ("", "_floor")
        )
        return {self.name: score, f"{self.name}_floor": floor, f"{self.name}_gain": score - floor}
