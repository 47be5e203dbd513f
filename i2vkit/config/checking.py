"""Checks of a config: every key is read by something, and every value is one that its key takes."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from i2vkit.config.slots import REFUSED, TOP_LEVEL, allowed_keys, holds_names, name_of, slot_below
from i2vkit.config.values import check_top_level, check_values_at
from i2vkit.engine.compiling import compile_options
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names
from i2vkit.utils.named import named_entries


def check_config(cfg: Config) -> None:
    """Raise ``ConfigError`` for the first key that nothing would read, with the nearest valid one, and for the first
    value that its key does not take.
    """
    for key, value in cfg._cfg_dict.items():
        if key in REFUSED:
            raise ConfigError(f"the key '{key}' would not be read: {REFUSED[key]}")
        if key not in TOP_LEVEL:
            raise ConfigError(
                f"no key '{key}' at the top of a config; nearest: {closest_names(key, TOP_LEVEL)} "
                f"(names of the file's own start with '_')"
            )
        _check(value, key, slot_below({}, None, key))
    check_top_level(cfg._cfg_dict)
    compile_options(cfg.get("compile"))


def _check(value: Any, path: str, slot: tuple[Registry, ...] | None) -> None:
    if holds_names(path):
        named_entries(value, path.rpartition(".")[2], path)
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}.{index}", slot)
    elif isinstance(value, dict):
        known = allowed_keys(value, slot, path)
        for key, item in value.items():
            if known is not None and key not in known:
                owner = f"{name_of(value['type'])} takes" if "type" in value else "there is"
                raise ConfigError(f"{path}: {owner} no '{key}'; nearest: {closest_names(key, known)}")
            _check(item, f"{path}.{key}", slot_below(value, slot, key))
        check_values_at(value, slot, path)
