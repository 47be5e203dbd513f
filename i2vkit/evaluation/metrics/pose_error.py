"""Distance of predicted poses from the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from i2vkit.evaluation.metrics.base import META
from i2vkit.registry import METRICS
from i2vkit.structures import VideoSample


def pose_error(poses: Tensor, truth: Tensor) -> float | None:
    """Return the mean distance of joints (T, J, 2) from the true ones, or None if no joint is known (not NaN) in both.

    >>> pose_error(torch.tensor([[[3.0, 4.0], [1.0, 1.0]]]), torch.tensor([[[0.0, 0.0], [torch.nan, 1.0]]]))
    5.0
    """
    known = (poses.isfinite() & truth.isfinite()).all(dim=-1)
    return (poses - truth)[known].norm(dim=-1).mean().item() if known.any() else None


@METRICS.register_module()
class PoseError(BaseMetric):
    """The mean distance of predicted joints from the true ones in pixels. Lower is better.

    The static baseline repeats the last position at which each joint was seen. Both only count joints that were seen
    and whose true position is known. Samples have ``poses``, ``true_poses`` and ``seen_poses`` (T, J, 2). After
    ``evaluate``, ``per_video`` has a dict for each clip, with ``None`` if no joint is known.

    Args:
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    name = "pose_error"

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Compare a batch."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            still = last_seen(sample["seen_poses"]).expand_as(sample["true_poses"])
            # Joints that were never seen have no static baseline, so they do not count for the model either.
            truth = torch.where(still.isfinite(), sample["true_poses"], torch.nan)
            score, static_baseline = pose_error(sample["poses"], truth), pose_error(still, truth)
            known = {key: sample[key] for key in META if key in sample}
            improvement = None if score is None or static_baseline is None else static_baseline - score
            values = {
                self.name: score,
                f"{self.name}_static_baseline": static_baseline,
                f"{self.name}_improvement": improvement,
            }
            self.results.append(known | values)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return ``pose_error``, ``pose_error_static_baseline`` and ``pose_error_improvement``, means over the clips.

        The dict is empty if no clip has known joints.
        """
        self.per_video = results
        scored = [result for result in results if result[self.name] is not None]
        keys = [key for key in (scored or [{}])[0] if key.startswith(self.name)]
        return {key: fmean(result[key] for result in scored) for key in keys}


def last_seen(poses: Tensor) -> Tensor:
    """Return the last known position of each joint of poses (T, J, 2), as (1, J, 2). It is NaN for joints never seen.

    >>> last_seen(torch.tensor([[1.0, 3.0], [2.0, torch.nan], [torch.nan, torch.nan]]).view(3, 2, 1)).flatten().tolist()
    [2.0, 3.0]
    """
    known = poses.isfinite().all(dim=-1, keepdim=True)
    steps = torch.arange(len(poses)).view(-1, 1, 1)
    # (T, J, 1) -> (1, J, 1): the last time step at which each joint is known. Joints never seen get step 0, where they
    # are NaN.
    last = torch.where(known, steps, 0).amax(dim=0, keepdim=True)
    return poses.gather(0, last.expand(1, *poses.shape[1:]))
