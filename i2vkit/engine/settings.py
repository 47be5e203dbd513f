"""The settings of a training as plain values, which a checkpoint holds and a resumed training compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_world_size

KEYS = ("model", "optim_wrapper", "param_scheduler", "train_dataloader", "train_cfg", "randomness")
# Keys on which no number of a training depends.
IRRELEVANT = {"num_workers", "persistent_workers", "pin_memory", "prefetch_factor", "cache", "help", "val_interval"}
UNSET = "not set"
Changes = dict[str, tuple[str, str]]


def settings_of(cfg: Config) -> dict[str, str]:
    """Return the settings on which the numbers of a training depend, as texts by their dotted keys.

    Examples:
        >>> from mmengine.config import Config
        >>> settings_of(Config({"optim_wrapper": {"optimizer": {"type": "torch.optim.Adam", "betas": (0.5, 0.9)}}}))
        {'optim_wrapper.optimizer.type': 'Adam', 'optim_wrapper.optimizer.betas': '[0.5, 0.9]', 'processes': '1'}
    """
    found = {key: cfg.get(key) for key in KEYS if cfg.get(key) is not None}
    return dict(_flat(found)) | {"processes": str(get_world_size())}


def compare_settings(then: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    """Return the values then and now of each setting that differs.

    >>> compare_settings({"lr": "0.1", "seed": "0"}, {"lr": "0.2", "seed": "0", "end": "8"})
    {'lr': ('0.1', '0.2'), 'end': ('not set', '8')}
    """
    keys = dict.fromkeys([*then, *now])
    pairs = {key: (then.get(key, UNSET), now.get(key, UNSET)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value that is no dict, and no list of dicts, with its dotted key."""
    if isinstance(value, dict):
        items = list(value.items())  # not dict.items, since a ConfigDict imports its lazy classes here
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        items = list(enumerate(value))
    else:
        yield path, _text(value, is_type=path.endswith(".type"))
        return
    for key, item in items:
        if key not in IRRELEVANT and item is not None:
            yield from _flat(item, f"{path}.{key}" if path else str(key))


def _text(value: Any, is_type: bool) -> str:
    """Return a value as text that is the same in a config and in the copy of it that a work dir holds."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(item, is_type) for item in value)}]"
    if callable(value):
        return getattr(value, "__name__", str(value))
    return value.rpartition(".")[2] if is_type and isinstance(value, str) else str(value)
