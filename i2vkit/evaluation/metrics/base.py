"""What all metrics of a video against its ground truth share: which frames are scored, the static baseline, and the
means.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Sequence
from statistics import fmean

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.errors import DataError
from i2vkit.structures import VideoSample

# What of a sample goes into the result of its video, where the sample has it.
META = ("name", "driving_name", "driving_person", "image_name", "image_person", "label_name", "seed")


def check_pair(video: Tensor, truth: Tensor) -> None:
    """Raise ``ValueError`` unless both are videos (N, C, T, H, W) of one shape."""
    if video.ndim != 5 or video.shape != truth.shape:
        raise ValueError(
            f"expected two videos (N, C, T, H, W) of one shape, got {tuple(video.shape)} and {tuple(truth.shape)}"
        )


def check_frames(name: str, video: Tensor, what: str = "generated") -> None:
    """Raise ``DataError`` unless a video is uint8, with its name and what its values are instead."""
    if video.dtype == torch.uint8:
        return
    finite = torch.isfinite(video)
    known = f"values of {video[finite].min():g} to {video[finite].max():g}" if finite.any() else "no finite value"
    bad = [] if video.ndim != 4 else (~finite).transpose(0, 1).flatten(1).any(dim=1).nonzero().flatten().tolist()
    more = f", and what is not finite in frame{'s' * (len(bad) > 1)} {', '.join(map(str, bad))}" if bad else ""
    raise DataError(
        f"video {name!r}: scored are uint8 videos, 0 to 255; {what} is {video.dtype} with {known}{more}. A model's "
        "output in [-1, 1] goes through to_uint8 of i2vkit.models.data_preprocessor"
    )


class VideoMetric(BaseMetric):
    """A score of generated videos against their truth, with the static baseline beside it.

    Scored are frames 1 to T-1 as uint8 (frame 0 is given), per frame, then per video, then overall. The static baseline
    is what repeating the first image scores on the same video. Each video is scored as it comes, so that memory does
    not grow with their number. A video without a truth is kept with ``None`` and left out of the means.

    A subclass gives ``name`` and :meth:`score`; one that compares frames with those before them ``reads_first`` and is
    then given frame 0 too. One that lacks what it needs says so in ``skipped``: it scores nothing, and the run goes on.
    ``extractor`` has the SHA-256 of the weights that it looks through, by file. After ``evaluate``, ``per_video`` (main
    process) holds a dict a video: what the sample says of itself, ``num_frames`` and the three values. The improvement
    is positive where the video is better than its static baseline.

    Args:
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.
    """

    name = ""
    less_is_better = False
    reads_first = False
    skipped: str | None = None
    extractor: dict[str, str] = {}

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []

    @abstractmethod
    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Score of every frame: (N, C, T, H, W) uint8 twice -> (N, T); with ``reads_first`` (N, T-1)."""

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Score a batch: one result a sample, also where there is no truth (mmengine counts them).

        Raises:
            DataError: a video of one frame, one whose size or length is not that of its ground truth, or one not of
                uint8.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self.row(sample, self.frame_scores(sample)))

    def frame_scores(self, sample: dict) -> Tensor | None:
        """Scores (2, T-1) of frames 1 to T-1: of the generated video, and of its first image repeated.

        None where there is no truth. Raises ``DataError`` as :meth:`process`.
        """
        generated, truth = sample["generated"], sample.get("truth")
        if truth is None:
            return None
        _check_sample(sample.get("name", "?"), generated, truth, sample["image"])
        static_baseline = sample["image"].to(generated.device)[:, None].expand_as(generated)
        start = 0 if self.reads_first else 1
        # (2, C, T - start, H, W): the video and its static baseline at once.
        videos = torch.stack([generated, static_baseline])[:, :, start:]
        return self.score(videos, truth.to(generated.device)[:, start:].expand_as(videos))

    def row(self, sample: dict, scores: Tensor | None) -> dict:
        """What is kept of one video: what the sample says of itself, and the values under the names of the report."""
        keys = (self.name, f"{self.name}_static_baseline", f"{self.name}_improvement")
        known = {key: sample[key] for key in META if key in sample} | {"num_frames": sample["generated"].shape[1]}
        if scores is None:
            return known | dict.fromkeys(keys)
        score, static_baseline = scores.mean(1).tolist()
        improvement = static_baseline - score if self.less_is_better else score - static_baseline
        return known | dict(zip(keys, (score, static_baseline, improvement), strict=True))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Means over the videos that have a truth; nothing, and a warning, where none has."""
        if self.skipped:
            return {}
        self.per_video = results
        scored = [result for result in results if result[self.name] is not None]
        if len(scored) < len(results):
            message = f"{self.name}: {len(results) - len(scored)} of {len(results)} videos have no truth: not scored"
            print_log(message, logger="current", level=logging.WARNING)
        if not scored:
            return {}
        return {key: fmean(result[key] for result in scored) for key in scored[0] if key.startswith(self.name)}


def _check_sample(name: str, generated: Tensor, truth: Tensor, first: Tensor) -> None:
    """Raise what :meth:`VideoMetric.process` promises, naming the video."""
    check_frames(name, generated)
    check_frames(name, truth, "truth")
    if generated.shape != truth.shape:
        raise DataError(
            f"video {name!r}: generated is {tuple(generated.shape)} but its ground truth is {tuple(truth.shape)} "
            "(colours, frames, height, width); both must come from the same pipeline"
        )
    if first.shape != (generated.shape[0], *generated.shape[2:]):
        raise DataError(f"video {name!r}: its first image is {tuple(first.shape)}, the video {tuple(generated.shape)}")
    if generated.shape[1] < 2:
        raise DataError(f"video {name!r} has one frame, and that one is given: nothing to score; set min_frames=2")
