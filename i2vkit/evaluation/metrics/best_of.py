"""Best-of-N scores over several samples of one image, as stochastic models are scored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from statistics import fmean

from mmengine.evaluator import BaseMetric

from i2vkit.errors import DataError
from i2vkit.evaluation.metrics.base import META
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


@METRICS.register_module()
class BestOf(BaseMetric):
    """The mean over all images of the best score that ``metric`` gives to a sample of the image.

    Samples of one image have the same ``name`` and different ``seed``. Only scores are stored, never videos. After
    ``evaluate`` (main process) ``per_video`` has a dict for each sample, and ``per_image`` a dict for each image with
    the seed of its best sample. ``curve`` has the scores by time step, 1 to T-1: "score" of the best samples and
    "static_baseline" (repeat the first image), both as means over the "images" that reach the step.

    Source: Dual-MTGAN, fig. 6.

    Args:
        metric: The config of a ``VideoMetric``.
        num_samples: The number of samples of every image. It is part of the name, as in ``ssim_best_of_25``.
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    def __init__(self, metric: dict, num_samples: int, prefix: str | None = None, collect_device: str = "cpu") -> None:
        self.metric = METRICS.build(metric)
        self.num_samples = num_samples
        self.name = f"{self.metric.name}_best_of_{num_samples}"
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.skipped, self.extractor = self.metric.skipped, self.metric.extractor
        self.per_video: list[dict] = []
        self.per_image: list[dict] = []
        self.curve: dict[str, list] = {}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Score a batch of samples.

        Raises:
            DataError: As ``VideoMetric.process``.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            if self.skipped:
                self.results.append({})
                continue
            scores = self.metric.frame_scores(sample)
            frames = None if scores is None else scores.tolist()
            self.results.append(self.metric.row(sample, scores) | {"frames": frames})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return ``<metric>_best_of_<N>``, ``_static_baseline`` and ``_improvement``, means over images with a truth.

        Raises:
            DataError: An image does not have ``num_samples`` samples.
        """
        if self.skipped:
            return {}
        self.per_video = [{key: value for key, value in row.items() if key != "frames"} for row in results]
        images: dict[str, list[dict]] = {}
        for row in results:
            images.setdefault(row["name"], []).append(row)
        if odd := [name for name, rows in images.items() if len(rows) != self.num_samples]:
            raise DataError(
                f"{self.name}: image {odd[0]!r} has {len(images[odd[0]])} samples, but every image "
                f"needs {self.num_samples}"
            )
        self.per_image, self.curve = [], {}
        best = [self._best(rows) for rows in images.values() if rows[0]["frames"] is not None]
        if not best:
            return {}
        ends = ("", "_static_baseline", "_improvement")
        for row in best:
            known = {key: row[key] for key in META if key in row and key != "seed"}
            values = {f"{self.name}{end}": row[f"{self.metric.name}{end}"] for end in ends}
            self.per_image.append(known | values | {f"{self.name}_seed": row.get("seed")})
        self.curve = _curve([row["frames"] for row in best])
        return {f"{self.name}{end}": fmean(row[f"{self.name}{end}"] for row in self.per_image) for end in ends}

    def _best(self, rows: list[dict]) -> dict:
        """Return the row of the best sample."""
        choose = min if self.metric.less_is_better else max
        return choose(rows, key=lambda row: row[self.metric.name])


def _curve(frames: list[list[list[float]]]) -> dict[str, list]:
    """Return means by time step of scores and static baselines. Each image has a pair of lists, of any length."""
    scores, static_baselines = zip(*frames, strict=True)
    # Lists by image become lists by step. Short videos leave None at late steps.
    steps = [[value for value in step if value is not None] for step in zip_longest(*scores)]
    baseline_steps = [[value for value in step if value is not None] for step in zip_longest(*static_baselines)]
    return {
        "step": list(range(1, len(steps) + 1)),
        "score": [fmean(step) for step in steps],
        "static_baseline": [fmean(step) for step in baseline_steps],
        "images": [len(step) for step in steps],
    }
