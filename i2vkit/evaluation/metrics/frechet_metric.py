"""What video FID and FVD share: vectors of generated and real videos are kept, and two Gaussians compared."""

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
    """Frechet distance of the vectors of generated videos to those of real ones; less is better.

    Real is the ground truth, and the driving video where there is none. Whole videos are seen, frame 0 included: the
    network wants a number of frames. The static baseline repeats the first image. Of each video three vectors are kept,
    never frames.

    With no more videos than numbers in a vector the covariances have not full rank and the distance comes out too
    large: the log and ``warning`` say so, and such numbers compare at the same number of videos only.

    ``extractor`` has the embedder's name and the SHA-256 of its weights. Without these the log says what to fetch, and
    the metric is left out. There is no value of a single video, so ``per_video`` stays empty, and no interval either.

    Args:
        embedder: of the registry ``VIDEO_EMBEDDERS``.
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.

    Raises:
        CheckpointError: weights that are there are the wrong ones.
    """

    name = ""
    less_is_better = True

    def __init__(self, embedder: dict, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []
        self.skipped, self.warning, self.extractor = None, None, {}
        self._size: tuple[int, ...] | None = None
        try:
            self.embedder = build_part(VIDEO_EMBEDDERS, embedder)
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{self.name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.extractor = {"embedder": self.embedder.name, **self.embedder.hashes}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Look at a batch: one result a sample.

        Raises:
            DataError: a video of another size than those before, of too few frames, or that is not uint8.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self._row(sample))

    def _row(self, sample: dict) -> dict[str, np.ndarray]:
        generated, real = sample["generated"], sample.get("truth")
        real = sample["driving"] if real is None else real
        still = sample["image"][:, None].expand_as(generated)
        return {
            key: self._vector(video, sample.get("name", "?"))
            for key, video in zip(("generated", "real", "still"), (generated, real, still), strict=True)
        }

    def _vector(self, video: Tensor, name: str) -> np.ndarray:
        check_frames(name, video)
        self._size = self._size or tuple(video.shape[2:])
        if tuple(video.shape[2:]) != self._size:
            raise DataError(
                f"{self.name}: video {name!r} has frames of {tuple(video.shape[2:])} pixels, those before it of "
                f"{self._size}: a network sees how much they were scaled, so all videos must have one size"
            )
        if video.shape[1] < self.embedder.min_frames:
            raise DataError(
                f"{self.name}: video {name!r} has {video.shape[1]} frames, {self.embedder.name} needs "
                f"{self.embedder.min_frames} or more; set min_frames={self.embedder.min_frames} in the data set"
            )
        return self.embedder(video).numpy()

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """``<name>``, ``<name>_static_baseline`` and ``<name>_improvement``; nothing without the network.

        Raises:
            DataError: fewer than two videos.
        """
        if self.skipped:
            return {}
        if len(results) < 2:
            raise DataError(f"{self.name} compares the spread of videos and needs two or more, got {len(results)}")
        generated, real, still = (np.stack([row[key] for row in results]) for key in ("generated", "real", "still"))
        number, size = generated.shape
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
