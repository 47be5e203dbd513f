"""How often a classifier is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mmengine.evaluator import BaseMetric

from i2vkit.errors import DataError
from i2vkit.evaluation.metrics.base import META
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


@METRICS.register_module()
class Accuracy(BaseMetric):
    """Share of clips whose highest score is that of their label; the static baseline always says the most frequent
    label.

    Samples carry ``scores`` (L,) and ``label`` (). ``per_video`` holds a dict a clip after ``evaluate``.

    Args:
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.
    """

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or "accuracy")
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Compare a batch; raises ``DataError`` for a clip without a label."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            label = int(sample["label"])
            if label < 0:
                raise DataError(f"clip {sample.get('name')!r} has no label, so it cannot be scored")
            known = {key: sample[key] for key in META if key in sample}
            self.results.append(known | {"label": label, "predicted": int(sample["scores"].argmax())})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """``accuracy``, ``accuracy_static_baseline`` and ``accuracy_improvement``, all in [0, 1]."""
        self.per_video = results
        right = sum(result["predicted"] == result["label"] for result in results) / len(results)
        [(_, most)] = Counter(result["label"] for result in results).most_common(1)
        static_baseline = most / len(results)
        return {
            "accuracy": right,
            "accuracy_static_baseline": static_baseline,
            "accuracy_improvement": right - static_baseline,
        }
