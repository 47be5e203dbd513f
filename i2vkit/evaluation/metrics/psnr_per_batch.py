"""PSNR of pooled batches, for comparison with code that computes it so, not for new results."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from statistics import fmean

from mmengine.evaluator import BaseMetric

from i2vkit.evaluation.metrics.mse import Mse
from i2vkit.evaluation.metrics.psnr import MAX_DECIBEL
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


def psnr_per_batch(errors: list[float], size: int) -> float:
    """Return the mean over batches of the PSNR of each batch's mean square error, at most 100 dB.

    It is never above the mean PSNR of the videos, since the logarithm is concave, and it depends on ``size``. Therefore
    ``psnr`` works frame by frame. The last batch may be smaller.

    Args:
        errors: The mean square error of each video on a scale of 0 to 1, in the order of the samples.
        size: The number of videos in a batch.

    Examples:
        >>> psnr_per_batch([0.1, 0.001], 1)  # the mean of 10 and 30 dB
        20.0
        >>> round(psnr_per_batch([0.1, 0.001], 2), 3)  # 10 log10(1 / 0.0505)
        12.967
    """
    batches = [fmean(errors[start : start + size]) for start in range(0, len(errors), size)]
    return fmean(min(-10 * log10(error), MAX_DECIBEL) if error > 0 else MAX_DECIBEL for error in batches)


@METRICS.register_module()
class PsnrPerBatch(BaseMetric):
    """PSNR of frames 1 to T-1, pooled over batches: ``psnr_per_batch_<N>``. See ``psnr_per_batch``.

    A value of a batch is not a value of a video. So ``per_video`` stays empty, and there are no intervals and no best
    of several samples.

    Args:
        batch_size: The number N of videos whose errors are pooled, in the order of the samples.
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".

    Raises:
        ConfigError: The batch size is below 1.
    """

    less_is_better = False
    warning: str | None = None

    def __init__(self, batch_size: int, prefix: str | None = None, collect_device: str = "cpu") -> None:
        self.batch_size, self.name = batch_size, f"psnr_per_batch_{batch_size}"
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []
        self._errors = Mse()
        # mmengine gathers ``results``, so this metric shares the list of the one that fills it.
        self.results = self._errors.results

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Compute the errors of a batch.

        Raises:
            DataError: As ``VideoMetric.process``.
        """
        self._errors.process(data_batch, data_samples)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the score, ``_static_baseline`` and ``_improvement`` over videos with a truth, or nothing if none has
        one.
        """
        scored = [row for row in results if row["mse"] is not None]
        if not scored:
            return {}
        score, static_baseline = (
            psnr_per_batch([row[key] for row in scored], self.batch_size) for key in ("mse", "mse_static_baseline")
        )
        equal = sum(row["mse"] == 0 for row in scored)
        self.warning = f"{equal} of {len(scored)} videos equal their ground truth" if equal else None
        return {
            self.name: score,
            f"{self.name}_static_baseline": static_baseline,
            f"{self.name}_improvement": score - static_baseline,
        }
