"""How much of what changes in a clip a motion encoder's states tell."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric

from i2vkit.evaluation.metrics.base import META
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


@METRICS.register_module()
class MotionChangeR2(BaseMetric):
    """``change_r2``: R^2 of what a ``MotionRegressor`` tells of the change since the first frame, over all clips.

    1 minus the squared error over the squared change: 1 if all is told, 0 for who says that nothing moves. Samples
    carry ``change`` and ``predicted_change`` (T, ...); what is not known (NaN) is left out. ``per_video`` holds a dict
    a clip after ``evaluate``.

    Args:
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.
    """

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or "change")
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Add up a batch."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            change, told = sample["change"].double(), sample["predicted_change"].double()
            known = change.isfinite()
            error = (told - change)[known].square().sum().item()
            facts = {key: sample[key] for key in META if key in sample}
            self.results.append(facts | {"error": error, "change": change[known].square().sum().item()})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """``change_r2``; NaN where nothing moves in any clip."""
        self.per_video = results
        change = sum(result["change"] for result in results)
        return {"change_r2": 1 - sum(result["error"] for result in results) / change if change else float("nan")}
