"""The data of a config, as training and testing get them."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from i2vkit.errors import ConfigError
from i2vkit.registry import SCOPE

SPLITS = ("train", "val", "test")


def splits_of(cfg: Config) -> list[str]:
    """Those of train, val and test for which the config has data. Raises ``ConfigError`` if there are none."""
    found = [split for split in SPLITS if cfg.get(f"{split}_dataloader")]
    if not found:
        raise ConfigError(f"{cfg.filename or 'the config'} has no data: no train_, val_ or test_dataloader")
    return found


def build_loader(cfg: Config, split: str, seed: int | None = None, workers: int | None = None) -> DataLoader:
    """The data loader of a split, seeded as a training would.

    Args:
        cfg: of ``load_config``; a config of data alone will do.
        split: "train", "val" or "test".
        seed: of the order of the clips; by default the config's.
        workers: processes; by default the config's, 0 is none.

    Raises:
        ConfigError: the config has no such split.
        DataError: the data are missing or not what was asked for.
    """
    if split not in splits_of(cfg):
        raise ConfigError(f"{cfg.filename} has no {split} data, only {', '.join(splits_of(cfg))}")
    loader = dict(cfg[f"{split}_dataloader"])
    if workers is not None:
        loader["num_workers"] = workers
    if not loader.get("num_workers"):
        loader["persistent_workers"] = False  # torch refuses both where there are no workers
        loader.pop("prefetch_factor", None)
    if seed is None:
        seed = (cfg.get("randomness") or {}).get("seed") or 0
    with DefaultScope.overwrite_default_scope(SCOPE):
        return Runner.build_dataloader(loader, seed=seed)


def trained_length(cfg: Config) -> int | None:
    """Frames of the clips that a config trains on, or else validates or tests on; None where no pipeline says."""
    for split in SPLITS:
        loader = cfg.get(f"{split}_dataloader") or {}
        for step in loader.get("dataset", {}).get("pipeline", ()):
            if isinstance(step, dict) and "length" in step:
                return step["length"]
    return None
