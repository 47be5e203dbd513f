"""Accuracy of a classifier on generated videos: do they show the label that they should?"""

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
    """A ``SupervisedModel`` that predicts labels, such as the CNN-LSTM, with its trained weights.

    Args:
        config: The name of a config of i2vkit, or the path of one. A work dir has a copy of its config.
        weights: A checkpoint or work dir of ``tools/train.py``. By default ``work_dirs/<name of the config>``.
        sha256: The SHA-256 of that checkpoint. By default it is not checked.

    Raises:
        MissingWeightsError: There is no checkpoint. The message says how to train one.
        CheckpointError: The file has another hash, or belongs to another config.
        ConfigError: There is no such config, or it does not describe a classifier.
    """

    def __init__(self, config: str, weights: str | None = None, sha256: str | None = None) -> None:
        from i2vkit.config.loading import load_config  # a higher layer, which imports this package

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
        """Return the most likely label of each of the videos (3, T, H, W), uint8, resized to the classifier's size."""
        inputs = {
            "driving": [_scaled(video, self.size) for video in videos],
            "num_frames": [torch.tensor(video.shape[1]) for video in videos],
            "label": [torch.tensor(0)] * len(videos),  # required, but it does not affect the scores
        }
        samples = self.model.test_step({"inputs": inputs, "data_samples": [VideoSample() for _ in videos]})
        return [self.labels[int(sample.scores.argmax())] for sample in samples]


def _scaled(video: Tensor, size: int) -> Tensor:
    """Return a video (3, T, H, W), uint8, resized to (3, T, size, size)."""
    if tuple(video.shape[2:]) == (size, size):
        return video
    # (3, T, H, W) -> (T, 3, size, size): frames are the batch of the interpolation.
    frames = functional.interpolate(video.transpose(0, 1).float(), (size, size), mode="bilinear", antialias=True)
    return frames.round().to(torch.uint8).transpose(0, 1)


@METRICS.register_module()
class LabelAccuracy(BaseMetric):
    """The share of generated videos in which a classifier recognises the label that they should show.

    Besides ``label_accuracy`` there is ``_truth``, the share for the true videos, which is the classifier's limit, and
    ``_static_baseline``, the share for the repeated first image. The classifier sees whole videos, including frame 0.
    Videos without a label are left out. Train the classifier on the training people of the same data set, for instance
    by ``tools/train.py cnn_lstm_oulu``. Without its weights the metric is left out, and the log says so. After
    ``evaluate``, ``per_video`` (main process) has a dict for each video: 1 or 0, and the label that was recognised.

    Args:
        config: The config of the classifier, as in ``LabelClassifier``.
        weights: As in ``LabelClassifier``.
        sha256: As in ``LabelClassifier``.
        prefix: A prefix of the score names, as in mmengine. By default none.
        collect_device: "cpu" or "gpu", the device that gathers the results of several processes. By default "cpu".

    Raises:
        CheckpointError: As ``LabelClassifier``.
        ConfigError: As ``LabelClassifier``.
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
        self.prefix = prefix  # mmengine warns without a prefix, so it got one above and now gets the real one
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
        """Classify a batch, one result for each sample.

        Raises:
            DataError: The classifier does not know the label of a sample.
        """
        for sample in data_samples:
            sample = sample.to_dict() if isinstance(sample, VideoSample) else sample
            self.results.append({} if self.skipped else self._row(sample))

    def _row(self, sample: dict) -> dict:
        """Return the result of one sample."""
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
        # (3, H, W) -> (3, T, H, W): the static baseline.
        still = sample["image"][:, None].expand_as(generated)
        seen = self.classifier([generated, still] if truth is None else [generated, still, truth])
        score, static_baseline, *of_truth = (float(name == label) for name in seen)
        values = (score, static_baseline, score - static_baseline, of_truth[0] if of_truth else None)
        named = {f"{self.name}{end}": value for end, value in zip(ends, values, strict=True)}
        return known | named | {"label_seen": seen[0]}

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the shares over the videos with a label, or nothing if none has one."""
        if self.skipped:
            return {}
        self.per_video = results
        keys = [f"{self.name}{end}" for end in ("", "_static_baseline", "_improvement", "_truth")]
        values = {key: [row[key] for row in results if row[key] is not None] for key in keys}
        return {key: fmean(found) for key, found in values.items() if found}
