"""Share of the changes in a clip that the states of a motion encoder predict."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric

from i2vkit.evaluation.metrics.base import META
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


@METRICS.register_module()
class MotionChangeR2(BaseMetric):
    """``change_r2``: the R^2 of a ``MotionRegressor``'s prediction of the change since the first frame, over all clips.

    It is 1 minus the squared error over the squared change: 1 for a perfect prediction, 0 for the prediction that
    nothing moves. Samples have ``change`` and ``predicted_change`` (T, ...). Unknown values (NaN) are left out. After
    ``evaluate``, ``per_video`` has a dict for each clip.

    Args:
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or "change")
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Add up the squared errors and changes of a batch."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            change, predicted = sample["change"].double(), sample["predicted_change"].double()
            # Padding frames and unlabelled values are NaN.
            known = change.isfinite()
            error = (predicted - change)[known].square().sum().item()
            facts = {key: sample[key] for key in META if key in sample}
            self.results.append(facts | {"error": error, "change": change[known].square().sum().item()})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return ``change_r2``, or NaN if nothing moves in any clip."""
        self.per_video = results
        change = sum(result["change"] for result in results)
        return {"change_r2": 1 - sum(result["error"] for result in results) / change if change else float("nan")}
