"""Base class of video FID and FVD, which compare Gaussians of the vectors of generated and real videos."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.errors import DataError
from i2vkit.evaluation.frechet import frechet_distance_of
from i2vkit.evaluation.metrics.base import check_frames
from i2vkit.registry import VIDEO_EMBEDDERS, build_part
from i2vkit.structures import VideoSample
from i2vkit.utils.weight_files import MissingWeightsError


class FrechetMetric(BaseMetric):
    """The Frechet distance of the vectors of generated videos from those of real ones. Lower is better.

    The real video is the ground truth, or the driving video if there is none. The network sees whole videos, including
    frame 0, since it needs a minimum number of frames. The static baseline repeats the first image. Three vectors of
    each video are stored, never frames.

    If there are not more videos than numbers in a vector, the covariances do not have full rank and the distance is too
    large. The log and ``warning`` then say so. Compare such distances only if they are of equally many videos. With
    several samples of an image its real video counts as often as it has samples, but it is one video.

    ``extractor`` has the embedder's name and the SHA-256 of its weights. Without the weights the metric is left out,
    and the log says what to fetch. A single video has no value, so ``per_video`` stays empty, and there is no interval.

    Args:
        embedder: A part of the registry ``VIDEO_EMBEDDERS``.
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".

    Raises:
        CheckpointError: The weights are the wrong ones.
    """

    name = ""
    less_is_better = True

    def __init__(self, embedder: dict, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []
        self.skipped: str | None = None
        self.warning: str | None = None
        self.extractor: dict[str, str] = {}
        self._size: tuple[int, ...] | None = None
        try:
            self.embedder = build_part(VIDEO_EMBEDDERS, embedder)
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{self.name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.extractor = {"embedder": self.embedder.name, **self.embedder.hashes}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Embed a batch, one result for each sample.

        Raises:
            DataError: A video has another size than those before, has too few frames, or is not uint8.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self._row(sample))

    def _row(self, sample: dict) -> dict[str, np.ndarray]:
        """Return the vectors of the generated video, the real one and the static baseline."""
        generated, real = sample["generated"], sample.get("truth")
        real = sample["driving"] if real is None else real
        # (3, H, W) -> (3, T, H, W): the static baseline.
        still = sample["image"][:, None].expand_as(generated)
        return {
            key: self._vector(video, sample.get("name", "?"))
            for key, video in zip(("generated", "real", "still"), (generated, real, still), strict=True)
        }

    def _vector(self, video: Tensor, name: str) -> np.ndarray:
        """Check a video and return its vector (D,)."""
        check_frames(name, video)
        self._size = self._size or tuple(video.shape[2:])
        if tuple(video.shape[2:]) != self._size:
            raise DataError(
                f"{self.name}: video {name!r} has frames of {tuple(video.shape[2:])} pixels, those before it of "
                f"{self._size}: the network is sensitive to resizing, so all videos must have one size"
            )
        if video.shape[1] < self.embedder.min_frames:
            raise DataError(
                f"{self.name}: video {name!r} has {video.shape[1]} frames, {self.embedder.name} needs "
                f"{self.embedder.min_frames} or more; set min_frames={self.embedder.min_frames} in the data set"
            )
        return self.embedder(video).numpy()

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return ``<name>``, ``<name>_static_baseline`` and ``<name>_improvement``, or nothing without the network.

        Raises:
            DataError: There are fewer than two videos.
        """
        if self.skipped:
            return {}
        if len(results) < 2:
            raise DataError(f"{self.name} compares the spread of videos and needs two or more, got {len(results)}")
        # (videos, D) each.
        generated, real, still = (np.stack([row[key] for row in results]) for key in ("generated", "real", "still"))
        size = generated.shape[1]
        number = min(len(generated), len(np.unique(real, axis=0)))  # different videos: samples share a real one
        self.warning = None
        if number <= size:
            self.warning = (
                f"{number} videos for {size} numbers each: the covariances have a rank below {number}, the distance is "
                f"too large and compares with that of {number} videos only; take more than {size}"
            )
            print_log(f"{self.name}: {self.warning}", logger="current", level=logging.WARNING)
        score, static_baseline = frechet_distance_of(generated, real), frechet_distance_of(still, real)
        return {
            self.name: score,
            f"{self.name}_static_baseline": static_baseline,
            f"{self.name}_improvement": static_baseline - score,
        }
