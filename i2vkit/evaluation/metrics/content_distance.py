"""Average content distance (ACD): does a video keep showing one person, and the right one?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from statistics import fmean

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from i2vkit.errors import DataError
from i2vkit.evaluation.metrics.base import META, check_frames
from i2vkit.registry import EMBEDDERS, METRICS, build_part
from i2vkit.structures import VideoSample
from i2vkit.utils.weight_files import MissingWeightsError


def acd_i(vectors: Tensor, first: Tensor) -> float:
    """Return the mean distance of the vectors of the frames (T, D) from that of the input image (D,).

    >>> acd_i(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.zeros(2))
    3.0
    """
    return (vectors - first).norm(dim=1).mean().item()


def acd_c(vectors: Tensor) -> float:
    """Return the mean distance of the vectors (T, D) of all pairs of frames.

    >>> round(acd_c(torch.tensor([[0.0], [1.0], [3.0]])), 6)  # 1, 2 and 3
    2.0
    """
    return torch.pdist(vectors).mean().item()


@METRICS.register_module()
class ContentDistance(BaseMetric):
    """ACD-I and ACD-C of frames 1 to T-1, averaged over frames, then over videos. Lower is better.

    ACD-I is the mean distance of the generated frames from the input image, ACD-C that of all pairs of generated
    frames. ``_reference`` has the values of the driving video, a real one, as an orientation: frames that repeat the
    input image would score 0, which is not the aim. No truth is needed.

    ``extractor`` has the embedder's name and the SHA-256 of its weights. Without the weights the metric is left out,
    and the log says what to fetch. After ``evaluate``, ``per_video`` (main process) has a dict for each video.

    Ours:
        when embedder=None: faces are embedded by dlib's network (the papers: OpenFace), whose numbers do not compare

    Source: FRGAN, sec. 4.2, after MoCoGAN.

    Args:
        embedder: A part of the registry ``EMBEDDERS``. By default dlib's.
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".

    Raises:
        CheckpointError: The weights are the wrong ones.
    """

    name = "acd"
    keys = ("acd_i", "acd_c", "acd_i_reference", "acd_c_reference")

    def __init__(self, embedder: dict | None = None, prefix: str | None = None, collect_device: str = "cpu") -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
        self.per_video: list[dict] = []
        self.skipped, self.extractor = None, {}
        try:
            self.embedder = build_part(EMBEDDERS, embedder or {"type": "DlibEmbedder"})
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{self.name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.extractor = {"embedder": self.embedder.name, **self.embedder.hashes}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Score a batch, one result for each sample.

        Raises:
            DataError: A video has fewer than 3 frames or is not uint8.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self._row(sample))

    def _row(self, sample: dict) -> dict:
        """Return the result of one sample."""
        known = {key: sample[key] for key in META if key in sample}
        made = self._distances(sample["generated"], sample["image"], sample.get("name", "?"))
        # The driving video shows one person, so its distances are those of a perfect result.
        real = self._distances(sample["driving"], sample["driving"][:, 0], sample.get("name", "?"))
        return known | dict(zip(self.keys, (*made, *real), strict=True))

    def _distances(self, video: Tensor, first: Tensor, name: str) -> tuple[float, float]:
        """Return ACD-I and ACD-C of a video."""
        check_frames(name, video)
        if video.shape[1] < 3:
            raise DataError(f"video {name!r} has {video.shape[1]} frames, ACD compares two or more after the first")
        # (3, T, H, W): the input image, then frames 1 to T-1.
        vectors = self.embedder(torch.cat([first[:, None].to(video.device), video[:, 1:]], dim=1))
        return acd_i(vectors[1:], vectors[0]), acd_c(vectors[1:])

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the means over the videos, or nothing without an embedder or without videos."""
        if self.skipped:
            return {}
        self.per_video = results
        if not results:
            return {}
        return {key: fmean(result[key] for result in results) for key in self.keys}
