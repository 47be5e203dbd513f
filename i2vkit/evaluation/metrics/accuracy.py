"""Accuracy of a classifier."""

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
    """The share of clips whose highest score is that of their label. The static baseline predicts the most frequent
    label.

    Samples have ``scores`` (L,) and ``label`` (). After ``evaluate``, ``per_video`` has a dict for each clip.

    Args:
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    name = "accuracy"
    less_is_better = False

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or "accuracy")
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Compare a batch.

        Raises:
            DataError: A clip has no label.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            label = int(sample["label"])
            if label < 0:
                raise DataError(f"clip {sample.get('name')!r} has no label, so it cannot be scored")
            known = {key: sample[key] for key in META if key in sample}
            self.results.append(known | {"label": label, "predicted": int(sample["scores"].argmax())})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return ``accuracy``, ``accuracy_static_baseline`` and ``accuracy_improvement``, all in [0, 1].

        Without clips it returns nothing.
        """
        self.per_video = results
        if not results:
            return {}
        right = sum(result["predicted"] == result["label"] for result in results) / len(results)
        # The best score of a prediction that does not look at the clip.
        [(_, most)] = Counter(result["label"] for result in results).most_common(1)
        static_baseline = most / len(results)
        return {
            "accuracy": right,
            "accuracy_static_baseline": static_baseline,
            "accuracy_improvement": right - static_baseline,
        }
