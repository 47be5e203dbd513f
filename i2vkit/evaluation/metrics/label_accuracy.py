"""Whether a classifier sees in a generated video what it should show."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor
from torch.nn import functional

from i2vkit.engine.checkpoints import check_hash, checkpoint_file, load_weights
from i2vkit.errors import CheckpointError, ConfigError, DataError
from i2vkit.evaluation.metrics.base import META, check_frames
from i2vkit.registry import METRICS, MODELS
from i2vkit.structures import VideoSample
from i2vkit.utils.weight_files import MissingWeightsError


class LabelClassifier:
    """A ``SupervisedModel`` that tells classes, such as the CNN-LSTM, with its trained weights.

    Args:
        config: name of a config of i2vkit, or the path of one; a work dir holds a copy of its own.
        weights: checkpoint or work dir of ``tools/train.py``; by default ``work_dirs/<name of the config>``.
        sha256: of that checkpoint.

    Raises:
        MissingWeightsError: there is no checkpoint; says how to train one.
        CheckpointError: it is another file, or of another config.
        ConfigError: there is no such config, or it is none of a classifier.
    """

    def __init__(self, config: str, weights: str | None = None, sha256: str | None = None) -> None:
        from i2vkit.config.loading import load_config  # which stands above this package

        cfg = load_config(Path(config).expanduser())
        name = Path(cfg.filename).stem
        try:
            file = checkpoint_file(weights or Path("work_dirs") / name)
        except CheckpointError as error:
            raise MissingWeightsError(f"{error}: train the classifier by python tools/train.py {config}") from error
        if sha256 is not None:
            check_hash(file, sha256)
        self.model = MODELS.build(cfg.model)
        if not hasattr(self.model, "network") or not getattr(self.model, "labels", None):
            raise ConfigError(f"{config} is not the config of a classifier: give one like cnn_lstm_oulu")
        load_weights(self.model, file)
        self.model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.labels, self.size = self.model.labels, self.model.image_size
        self.hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}

    def __call__(self, videos: Sequence[Tensor]) -> list[str]:
        """The most likely label of each of the videos (3, T, H, W) uint8, scaled to the size that it was trained on."""
        inputs = {
            "driving": [_scaled(video, self.size) for video in videos],
            "num_frames": [torch.tensor(video.shape[1]) for video in videos],
            "label": [torch.tensor(0)] * len(videos),  # a true one is only passed through
        }
        told = self.model.test_step({"inputs": inputs, "data_samples": [VideoSample() for _ in videos]})
        return [self.labels[int(sample.scores.argmax())] for sample in told]


def _scaled(video: Tensor, size: int) -> Tensor:
    if tuple(video.shape[2:]) == (size, size):
        return video
    frames = functional.interpolate(video.transpose(0, 1).float(), (size, size), mode="bilinear", antialias=True)
    return frames.round().to(torch.uint8).transpose(0, 1)


@METRICS.register_module()
class LabelAccuracy(BaseMetric):
    """Share of generated videos in which a classifier sees the label that they should show: an expression or an action.

    ``label_accuracy``; beside it ``_truth``, the share on the true videos, which is what the classifier allows, and
    ``_static_baseline``, on the first image repeated. Whole videos are seen, frame 0 included. Videos without a label
    are left out. The classifier is trained on the training people of the same set, for instance by ``tools/train.py
    cnn_lstm_oulu``; without its weights the log says so, and the metric is left out. ``per_video`` (main process) holds
    a dict a video after ``evaluate``: 1 or 0, and what was seen.

    Args:
        config, weights, sha256: of the classifier, as in ``LabelClassifier``.
        prefix: put before the names, as mmengine does; without one the names stand alone.
        collect_device: "cpu" or "gpu", where results of several processes meet.

    Raises:
        CheckpointError, ConfigError: as ``LabelClassifier``.
    """

    name = "label_accuracy"
    less_is_better = False

    def __init__(
        self,
        config: str,
        weights: str | None = None,
        sha256: str | None = None,
        prefix: str | None = None,
        collect_device: str = "cpu",
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix or self.name)
        self.prefix = prefix  # The line above only keeps mmengine from warning that there is none.
        self.per_video: list[dict] = []
        self.skipped, self.extractor = None, {}
        try:
            self.classifier = LabelClassifier(config, weights, sha256)
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{self.name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.extractor = {"classifier": Path(config).stem, **self.classifier.hashes}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict | VideoSample]) -> None:
        """Look at a batch: one result a sample. Raises ``DataError`` for a label that the classifier does not know."""
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self._row(sample))

    def _row(self, sample: dict) -> dict:
        label, known = sample.get("label_name"), {key: sample[key] for key in META if key in sample}
        ends = ("", "_static_baseline", "_improvement", "_truth")
        if label is None:
            return known | dict.fromkeys(f"{self.name}{end}" for end in ends) | {"label_seen": None}
        if label not in self.classifier.labels:
            raise DataError(
                f"video {sample.get('name', '?')!r} should show {label!r}, the classifier knows "
                f"{', '.join(self.classifier.labels)}: train one on the same set"
            )
        generated, truth = sample["generated"], sample.get("truth")
        check_frames(sample.get("name", "?"), generated)
        still = sample["image"][:, None].expand_as(generated)
        seen = self.classifier([generated, still] if truth is None else [generated, still, truth])
        score, static_baseline, *of_truth = (float(name == label) for name in seen)
        values = (score, static_baseline, score - static_baseline, of_truth[0] if of_truth else None)
        named = {f"{self.name}{end}": value for end, value in zip(ends, values, strict=True)}
        return known | named | {"label_seen": seen[0]}

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The shares, of the videos that have a label and, of the ground truth, of those that have one; nothing where
        none.
        """
        if self.skipped:
            return {}
        self.per_video = results
        keys = [f"{self.name}{end}" for end in ("", "_static_baseline", "_improvement", "_truth")]
        values = {key: [row[key] for row in results if row[key] is not None] for key in keys}
        return {key: fmean(found) for key, found in values.items() if found}
