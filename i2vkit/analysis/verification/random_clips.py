"""A data set of random clips, with which a runner can train any config without data."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from torch.utils.data import Dataset

from i2vkit.analysis.benchmark.step import random_batch
from i2vkit.analysis.verification.subjects import find_subject, frames_of, subject_config
from i2vkit.registry import DATASETS, MODELS
from i2vkit.structures import VideoSample


@DATASETS.register_module()
class RandomClips(Dataset):
    """A data set of a few fixed random clips with everything that the model of a subject reads.

    Args:
        subject: The name of one of ``subjects.SUBJECTS``.
        narrow: Use the model with a sixteenth of its widths.
        number: The number of clips. By default 8.
        frames: The length of a clip. By default that of a training step.
    """

    def __init__(self, subject: str, narrow: bool, number: int = 8, frames: int | None = None) -> None:
        cfg = subject_config(find_subject(subject), narrow)
        with torch.device("meta"):
            model = MODELS.build(cfg.model)
        self.inputs = random_batch(model, frames_of(cfg, model, narrow, frames), number)["inputs"]
        self.number, self.labels = number, list(cfg.model.get("labels", ()))
        self.metainfo = {"labels": self.labels}

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, key: int | tuple[int, int]) -> dict[str, Any]:
        """Return the clip at ``key``, an index or (index, position)."""
        index = key[0] if isinstance(key, tuple) else key
        inputs = {name: values[index] for name, values in self.inputs.items()}
        return {"inputs": inputs, "data_samples": VideoSample(metainfo={"name": f"clip{index}"})}


def with_random_clips(cfg: Config, subject: str, narrow: bool, batch: int, frames: int | None = None) -> Config:
    """Return a copy of ``cfg`` that trains on ``RandomClips``, without validation and workers."""
    cfg = deepcopy(cfg)  # Config.copy is shallow
    for key in ("val_dataloader", "val_cfg", "val_evaluator", "test_dataloader", "test_cfg", "test_evaluator"):
        cfg.pop(key, None)
    loader = cfg.train_dataloader
    for key in ("persistent_workers", "prefetch_factor", "pin_memory"):
        loader.pop(key, None)
    loader["num_workers"], loader["batch_size"] = 0, batch
    loader["dataset"] = dict(type=RandomClips, subject=subject, narrow=narrow, frames=frames)
    cfg.visualizer = None
    return cfg
