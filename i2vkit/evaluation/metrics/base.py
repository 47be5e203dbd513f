"""Base class of metrics of a video against its ground truth: choice of frames, static baseline, and means."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Sequence
from statistics import fmean

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.errors import DataError, RangeError
from i2vkit.structures import VideoSample

# The fields of a sample that are copied into the result of its video, if the sample has them.
META = ("name", "driving_name", "driving_person", "image_name", "image_person", "label_name", "seed")


def check_pair(video: Tensor, truth: Tensor) -> None:
    """Raise ``RangeError`` unless both are videos (N, C, T, H, W) of one shape, with something in them."""
    if not (isinstance(video, Tensor) and isinstance(truth, Tensor)):
        kinds = f"{type(video).__name__} and {type(truth).__name__}"
        raise RangeError(
            f"expected two videos as tensors (N, C, T, H, W), got {kinds}: torch.from_numpy converts arrays"
        )
    if video.ndim != 5 or video.shape != truth.shape or not video.numel():
        raise RangeError(
            f"expected two videos (N, C, T, H, W) of one shape, got {tuple(video.shape)} and {tuple(truth.shape)}"
        )


def check_frames(name: str, video: Tensor, what: str = "generated") -> None:
    """Raise ``DataError`` unless a video is uint8. The message has its name and the range of its values."""
    if video.dtype == torch.uint8:
        return
    finite = torch.isfinite(video)
    known = f"values of {video[finite].min():g} to {video[finite].max():g}" if finite.any() else "no finite value"
    # (C, T, H, W) -> (T,): the frames with a value that is not finite.
    bad = [] if video.ndim != 4 else (~finite).transpose(0, 1).flatten(1).any(dim=1).nonzero().flatten().tolist()
    more = f", and values that are not finite in frame{'s' * (len(bad) > 1)} {', '.join(map(str, bad))}" if bad else ""
    raise DataError(
        f"video {name!r}: metrics score uint8 videos, 0 to 255, but {what} is {video.dtype} with {known}{more}. "
        "Convert a model's output in [-1, 1] by to_uint8 of i2vkit.models.data_preprocessor"
    )


class VideoMetric(BaseMetric):
    """A metric of generated videos against their truth, with the static baseline beside it.

    It scores frames 1 to T-1 as uint8, since frame 0 is given. The mean is taken over frames, then over videos. The
    static baseline is the score of the repeated first image for the same video. The improvement is positive if the
    video is better than its static baseline. Each video is scored when it arrives, so memory does not grow with their
    number. A video without a truth gets ``None`` and does not count in the means.

    A subclass defines ``name`` and :meth:`score`. With ``reads_first`` that method also gets frame 0, for metrics that
    compare a frame with the one before. A metric that lacks something sets ``skipped`` to the reason. It then scores
    nothing, and the run goes on. ``extractor`` has the SHA-256 of the weights of its feature extractor by file. After
    ``evaluate``, ``per_video`` (main process) has a dict for each video: the sample's names, ``num_frames`` and the
    three values.

    Args:
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".
    """

    name = ""
    less_is_better = False
    reads_first = False
    skipped: str | None = None
    extractor: dict[str, str] = {}

    def __init__(self, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []

    @abstractmethod
    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Return the score of every frame, (N, T), of videos and truths (N, C, T, H, W), uint8.

        With ``reads_first`` the result is (N, T-1).
        """

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Score a batch. Every sample gets a result, even without a truth, since mmengine counts them.

        Raises:
            DataError: A video has one frame, is not uint8, or differs from its ground truth in size or length.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self.row(sample, self.frame_scores(sample)))

    def frame_scores(self, sample: dict) -> Tensor | None:
        """Return scores (2, T-1) of frames 1 to T-1: of the generated video, and of its first image repeated.

        Returns:
            The scores, or None without a truth.

        Raises:
            DataError: As :meth:`process`.
        """
        generated, truth = sample["generated"], sample.get("truth")
        if truth is None:
            return None
        _check_sample(sample.get("name", "?"), generated, truth, sample["image"])
        # (C, H, W) -> (C, T, H, W)
        static_baseline = sample["image"].to(generated.device)[:, None].expand_as(generated)
        start = 0 if self.reads_first else 1
        # (2, C, T - start, H, W): the video and its static baseline at once.
        videos = torch.stack([generated, static_baseline])[:, :, start:]
        return self.score(videos, truth.to(generated.device)[:, start:].expand_as(videos))

    def row(self, sample: dict, scores: Tensor | None) -> dict:
        """Return the result of one video: the sample's names, and the values under the names of the report."""
        keys = (self.name, f"{self.name}_static_baseline", f"{self.name}_improvement")
        known = {key: sample[key] for key in META if key in sample} | {"num_frames": sample["generated"].shape[1]}
        if scores is None:
            return known | dict.fromkeys(keys)
        # (2, T-1) -> (2,)
        score, static_baseline = scores.mean(1).tolist()
        improvement = static_baseline - score if self.less_is_better else score - static_baseline
        return known | dict(zip(keys, (score, static_baseline, improvement), strict=True))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the means over the videos that have a truth. If none has, warn and return nothing."""
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
    """Raise the errors of :meth:`VideoMetric.process`, naming the video."""
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
        raise DataError(
            f"video {name!r} has one frame, and that one is given, so there is nothing to score: set min_frames=2"
        )
