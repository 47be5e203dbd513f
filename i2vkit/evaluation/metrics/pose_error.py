"""How far predicted poses are from the true ones."""

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
    """Mean distance of joints (T, J, 2) to the true ones, over those that are known (not NaN) in both; None where none.

    >>> pose_error(torch.tensor([[[3.0, 4.0], [1.0, 1.0]]]), torch.tensor([[[0.0, 0.0], [torch.nan, 1.0]]]))
    5.0
    """
    known = (poses.isfinite() & truth.isfinite()).all(dim=-1)
    return (poses - truth)[known].norm(dim=-1).mean().item() if known.any() else None


@METRICS.register_module()
class PoseError(BaseMetric):
    """Mean distance of predicted joints to the true ones in pixels; the static baseline repeats, of each joint, where
    it was seen last. Both count the joints alone that were seen and are known.

    Samples carry ``poses``, ``true_poses`` and ``seen_poses`` (T, J, 2). ``per_video`` holds a dict a clip after
    ``evaluate``; clips of which nothing is known have ``None`` there.

    Args:
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.
    """

    name = "pose_error"

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Compare a batch."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            still = last_seen(sample["seen_poses"]).expand_as(sample["true_poses"])
            truth = torch.where(still.isfinite(), sample["true_poses"], torch.nan)
            score, static_baseline = pose_error(sample["poses"], truth), pose_error(still, truth)
            known = {key: sample[key] for key in META if key in sample}
            improvement = None if score is None else static_baseline - score
            self.results.append(
                known
                | {
                    self.name: score,
                    f"{self.name}_static_baseline": static_baseline,
                    f"{self.name}_improvement": improvement,
                }
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """``pose_error``, ``pose_error_static_baseline`` and ``pose_error_improvement``, means over the clips; nothing
        where none.
        """
        self.per_video = results
        scored = [result for result in results if result[self.name] is not None]
        keys = [key for key in (scored or [{}])[0] if key.startswith(self.name)]
        return {key: fmean(result[key] for result in scored) for key in keys}


def last_seen(poses: Tensor) -> Tensor:
    """Where each joint of poses (T, J, 2) was last known, (1, J, 2); NaN where never.

    >>> last_seen(torch.tensor([1.0, 2.0, torch.nan]).view(3, 1, 1)).item()
    2.0
    """
    known = poses.isfinite().all(dim=-1, keepdim=True)
    steps = torch.arange(len(poses)).view(-1, 1, 1)
    last = torch.where(known, steps, 0).amax(dim=0, keepdim=True)
    return poses.gather(0, last.expand(1, *poses.shape[1:]))
