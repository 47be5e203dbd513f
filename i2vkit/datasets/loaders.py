"""The data loaders of a config, as training and testing use them."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from i2vkit.datasets.pipelines import SHORT_FORM, steps_of
from i2vkit.errors import ConfigError
from i2vkit.registry import SCOPE

SPLITS = ("train", "val", "test")
# Keys that a loader needs and a config may leave to the machine. ``complete_loader`` fills them in.
MACHINE_KEYS = ("num_workers", "persistent_workers", "pin_memory")
MOST_WORKERS, MOST_TO_SCORE = 8, 4  # beside a GPU: to train, and to validate or test


def splits_of(cfg: Config) -> list[str]:
    """Return those of train, val and test for which the config has data.

    Raises:
        ConfigError: There are none.
    """
    found = [split for split in SPLITS if cfg.get(f"{split}_dataloader")]
    if not found:
        raise ConfigError(f"{cfg.filename or 'the config'} has no data: no train_, val_ or test_dataloader")
    return found


def complete_loader(loader: dict, split: str) -> None:
    """Fill in, in place, the keys of ``loader`` that a config may leave to the machine, so that torch takes it.

    ``num_workers`` is ``default_workers(split)``, or at most 2 if clips are on the device, where workers only choose
    frames. Workers stay alive between epochs (``persistent_workers``). With a GPU, batches are put into pinned memory
    (``pin_memory``), so that copies need not be waited for. A value of the config stays, unless torch refuses it for a
    loader without workers.

    Args:
        loader: Config of a data loader, changed in place.
        split: "train", "val" or "test".

    Raises:
        ConfigError: ``cache="device"`` is set for another split than "train", or the data set is a list.
    """
    dataset = loader.get("dataset") or {}
    if isinstance(dataset, list | tuple):
        raise ConfigError(f"{split}_dataloader.dataset is {dataset!r}, but takes a part, written dict(type=..., ...)")
    on_device = isinstance(dataset, Mapping) and dataset.get("cache") == "device"
    if on_device and split != "train":
        raise ConfigError(
            f'{split}_dataloader.dataset.cache="device" is for training: metrics want the videos of samples, and there '
            'none are made; take "file", "memory" or None'
        )
    workers = default_workers(split)
    loader.setdefault("num_workers", min(2, workers) if on_device else workers)
    loader.setdefault("pin_memory", torch.cuda.is_available())
    loader.setdefault("persistent_workers", True)
    if loader["num_workers"] == 0:  # one option to give, --cfg-options train_dataloader.num_workers=0
        loader["persistent_workers"] = False
        loader.pop("prefetch_factor", None)


def default_workers(split: str) -> int:
    """Return the number of processes that load data: as many as there are cores, at most 2.

    With a GPU, which takes clips faster, it is at most ``MOST_WORKERS`` to train and ``MOST_TO_SCORE`` otherwise. The
    processes of one training on one machine (torchrun) share the cores.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = 2 if not torch.cuda.is_available() else MOST_WORKERS if split == "train" else MOST_TO_SCORE
    return max(1, min(most, cores // int(os.environ.get("LOCAL_WORLD_SIZE", 1))))


def build_loader(cfg: Config, split: str, seed: int | None = None, workers: int | None = None) -> DataLoader:
    """Build the data loader of a split, seeded as in a training.

    Args:
        cfg: A config of ``load_config``. A config of data alone will do.
        split: "train", "val" or "test".
        seed: Seed of the order of the clips. By default the config's.
        workers: Number of processes, 0 for none. By default the config's.

    Raises:
        ConfigError: The config has no such split.
        DataError: The data are missing, or no clip is left.
    """
    if split not in splits_of(cfg):
        raise ConfigError(f"{cfg.filename} has no {split} data, only {', '.join(splits_of(cfg))}")
    loader = dict(cfg[f"{split}_dataloader"])
    if workers is not None:
        loader["num_workers"] = workers
    complete_loader(loader, split)
    if seed is None:
        seed = (cfg.get("randomness") or {}).get("seed") or 0
    with DefaultScope.overwrite_default_scope(SCOPE):
        return Runner.build_dataloader(loader, seed=seed)


def pipeline_steps(loader: dict) -> list:
    """Return the transforms in the config of a data loader, in the order of work. A data set may have none."""
    dataset = loader.get("dataset") or {}
    pipeline = dataset.get("pipeline")
    if pipeline is not None and not isinstance(pipeline, Mapping):
        return list(pipeline)  # a data set of another package
    described = pipeline is not None or any(dataset.get(name) is not None for name in SHORT_FORM)
    return list(steps_of(dataset).values()) if described else []


def trained_length(cfg: Config) -> int | None:
    """Return the number of frames of the clips that a config trains on, or else validates or tests on.

    It is None if no pipeline says it.
    """
    for split in SPLITS:
        loader = cfg.get(f"{split}_dataloader") or {}
        for step in pipeline_steps(loader):
            if isinstance(step, dict) and "length" in step:
                return step["length"]
    return None
