"""Checks of a config as a request to this machine: nothing that a training needs is missing, and batches fit."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.registry import FUNCTIONS

from i2vkit.datasets.loaders import trained_length
from i2vkit.errors import ConfigError
from i2vkit.registry import OPTIM_WRAPPER_CONSTRUCTORS, find_part
from i2vkit.values import refuse_beyond_memory

# Bytes of one value of a frame of a batch, in float32.
_BYTES = 4
_TRAINING = {
    "model": "model=dict(type=..., ...)",
    "train_dataloader": "train_dataloader=dict(batch_size=..., dataset=...)",
    "train_cfg": "train_cfg=dict(type=IterBasedTrainLoop, max_iters=...)",
    "optim_wrapper": "optim_wrapper=dict(constructor=PhaseOptimWrapperConstructor, optimizer=dict(type=Adam, lr=...))",
}


def check_trainable(cfg: Config) -> None:
    """Check that a config can be trained on this machine, before anything is built.

    Raises:
        ConfigError: It has no model, data, loop or optimiser, half of a validation, or a batch alone takes more memory
            than there is.
    """
    for key, example in _TRAINING.items():
        if not cfg.get(key):
            raise ConfigError(f"{cfg.filename or 'the config'} cannot be trained: it has no {key}. Give it {example}")
    if cfg.optim_wrapper.get("optimizer") is None:
        raise ConfigError(f"{cfg.filename or 'the config'} cannot be trained: it has no optim_wrapper.optimizer")
    find_part(OPTIM_WRAPPER_CONSTRUCTORS, cfg.optim_wrapper.get("constructor", "PhaseOptimWrapperConstructor"))
    of_validation = ("val_dataloader", "val_cfg", "val_evaluator")
    given = [key for key in of_validation if cfg.get(key)]
    missing = [key for key in of_validation if not cfg.get(key)]
    if given and missing:
        raise ConfigError(f"{given[0]} is set, and {missing[0]} is not: a validation needs {', '.join(of_validation)}")
    for split in ("train", "val"):
        check_batch(cfg, split)
        _check_collation(cfg, split)


def check_apart(cfg: Config, work_dir: str | Path) -> None:
    """Raise ``ConfigError`` if a work dir is the folder of the data, or in it, which would find clips in it."""
    for split in ("train", "val"):
        reader = ((cfg.get(f"{split}_dataloader") or {}).get("dataset") or {}).get("reader") or {}
        root = reader.get("root")
        if root and Path(work_dir).resolve().is_relative_to(Path(root).expanduser().resolve()):
            raise ConfigError(f"the work dir {work_dir} lies in the data, {root}: choose another one (--work-dir)")


def _check_collation(cfg: Config, split: str) -> None:
    """Raise ``ConfigError`` for a function of collation by a name that no registry has."""
    collate = (cfg.get(f"{split}_dataloader") or {}).get("collate_fn") or {}
    kind = collate.get("type")
    if isinstance(kind, str) and FUNCTIONS.get(kind) is None:
        raise ConfigError(f"{split}_dataloader.collate_fn.type is {kind!r}, and no function is registered by that name")


def check_batch(cfg: Config, split: str) -> None:
    """Raise ``ConfigError`` if one batch of a split takes more memory than this machine has."""
    loader = cfg.get(f"{split}_dataloader") or {}
    batch, length = loader.get("batch_size") or 1, trained_length(cfg) or 1
    dataset, model = loader.get("dataset") or {}, cfg.get("model") or {}
    side = dataset.get("size") or model.get("image_size") or 1
    height, width = side if isinstance(side, list | tuple) else (side, side)
    refuse_beyond_memory(
        f"a batch of {batch} clips of {length} frames of {width}x{height}",
        batch * length * height * width * 3 * _BYTES,
        f"Lower {split}_dataloader.batch_size, the length or the size of the clips",
    )
