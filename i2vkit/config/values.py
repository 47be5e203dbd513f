"""Checks of the values in a config: by the annotations of the classes that take them, and by the ranges of their names.

``i2vkit/values`` has the rules. This module finds the class behind every place of a config, and adds the rules that
concern several keys at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from mmengine.registry import Registry
from mmengine.runner import Runner

from i2vkit.config.slots import NAMED, name_of, owner_of, registries_of
from i2vkit.engine.precision import PRECISIONS
from i2vkit.errors import ConfigError
from i2vkit.registry import SCOPE
from i2vkit.values import check_argument, check_arguments, hints_of, range_of
from i2vkit.values.hints import fits

_EMPTY = inspect.Parameter.empty
# Keys of the top level that the Runner's signature does not describe.
_MORE_HINTS: dict[str, Any] = {"sync_bn": str | None, "variant": str, "protocols": dict | None}
# Values of which only some are known, by path.
CHOICES: dict[str, tuple] = {
    "default_scope": (SCOPE,),
    "launcher": ("none", "pytorch", "slurm"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "env_cfg.dist_cfg.backend": ("nccl", "gloo"),
    "model.precision": PRECISIONS,
}


def check_top_level(cfg: Mapping[str, Any]) -> None:
    """Check the values of the top level of a config, and those that depend on each other.

    Raises:
        ConfigError: A value has another type than the Runner takes, or two values contradict each other.
    """
    hints = {**hints_of(Runner), **_MORE_HINTS}
    for key, value in cfg.items():
        if value is None:
            continue
        if registries_of(key) is None:
            check_argument(key, value, hints.get(key, _EMPTY), "")
        else:
            _check_part(value, hints.get(key, _EMPTY), key)
    for pattern, known in (CHOICES | _pass_choices(cfg)).items():
        for path, value in _at(cfg, pattern):
            if value not in known:
                raise ConfigError(f"{path} is {value!r}, but takes {' or '.join(map(repr, known))}")
    for path, loader in _at(cfg, "*_dataloader"):
        if isinstance(loader, Mapping) and loader.get("batch_size", 1) is None and not loader.get("batch_sampler"):
            raise ConfigError(f"{path}.batch_size is None, but takes the number of clips in a batch")
    _check_phases(cfg.get("model"))
    for name, schedule in _entries(cfg.get("param_scheduler")):
        begin, end = schedule.get("begin"), schedule.get("end")
        if isinstance(begin, int) and isinstance(end, int) and begin >= end:
            raise ConfigError(
                f"param_scheduler.{name} begins at {begin} and ends at {end}: set its begin and end, in iterations, "
                "for the length of your training"
            )
        if schedule.get("by_epoch", True) is True and _counts_iterations(cfg.get("train_cfg")):
            raise ConfigError(
                f"param_scheduler.{name} counts epochs, and this training counts iterations, so it would change "
                f"nothing: set param_scheduler.{name}.by_epoch=False"
            )


def _counts_iterations(train_cfg: Any) -> bool:
    """Return True for a training by iterations, which never ends an epoch."""
    if not isinstance(train_cfg, Mapping) or "type" not in train_cfg:
        return False
    return not train_cfg.get("by_epoch", False) and "Iter" in name_of(train_cfg["type"])


def _pass_choices(cfg: Mapping[str, Any]) -> dict[str, tuple]:
    """Return the values that passes take, by path. Models are imported only if the config has passes."""
    if not _at(cfg, "model.passes"):
        return {}
    from i2vkit.models.training.passes import PASS_CHOICES

    return {f"model.passes.*.{name}": values for name, values in PASS_CHOICES.items()}


def check_values_at(cfg: Mapping[str, Any], slot: tuple[Registry, ...] | None, path: str) -> None:
    """Check the values of one dict of a config.

    Args:
        cfg: The dict.
        slot: The registries in which its type is looked up, or None.
        path: Its place in the config.

    Raises:
        ConfigError: A value is of another type than the class takes, or outside of the range of its name.
    """
    owner = owner_of(dict(cfg), slot, path)
    if owner is None:
        for name, value in cfg.items():
            if path.rpartition(".")[2] in NAMED:
                _check_part(value, dict | None, f"{path}.{name}")
            elif range_of(name) is not None and not isinstance(value, Mapping | bool):  # no signature describes it
                check_argument(name, value, _EMPTY, path)
        return
    hints, plain = hints_of(owner), {}
    for key, value in cfg.items():
        if key == "type":
            continue
        if registries_of(key) is None:
            plain[key] = value
        else:
            _check_part(value, hints.get(key, _EMPTY), f"{path}.{key}")
    check_arguments(owner, plain, path)


def _check_part(value: Any, hint: Any, path: str) -> None:
    """Raise ``ConfigError`` if ``value`` stands where a part, or a dict or list of parts, belongs and is none."""
    if not isinstance(value, str | int | float | None):
        return  # entries are checked at their own places, and objects are as they are
    if hint is not _EMPTY and fits(value, hint, exact=True):
        where, _, name = path.rpartition(".")
        check_argument(name, value, hint, where)
    elif value is not None or hint is not _EMPTY:
        raise ConfigError(f"{path} is {value!r}, but takes a part, written dict(type=..., ...)")


def _check_phases(model: Any) -> None:
    """Raise ``ConfigError`` for a model whose phases would train nothing."""
    phases = model.get("phases") if isinstance(model, Mapping) else None
    if not isinstance(phases, Mapping):
        return
    if not _entries(phases):
        raise ConfigError("model.phases is empty, so nothing would be trained: give at least one phase")
    for name, phase in _entries(phases):
        begin, end = phase.get("begin", 0), phase.get("end")
        if end is not None and end <= begin:
            raise ConfigError(f"model.phases.{name} begins at {begin} and ends at {end}, so it would never run")
        if not _entries(phase.get("losses")):
            raise ConfigError(f"model.phases.{name} has no losses, so it would train nothing. Drop it with None")


def _entries(named: Any) -> list[tuple[str, Mapping]]:
    """Return the entries of a dict of names that are dicts themselves."""
    pairs = named.items() if isinstance(named, Mapping) else ()
    return [(name, entry) for name, entry in pairs if isinstance(entry, Mapping)]


def _at(cfg: Mapping[str, Any], pattern: str) -> list[tuple[str, Any]]:
    """Return the values at a dotted path, with their paths. None is left out, and "*" in a key stands for any text."""
    found: list[tuple[str, Any]] = [("", cfg)]
    for part in pattern.split("."):
        below = [(path, *item) for path, value in found if isinstance(value, Mapping) for item in value.items()]
        found = [(f"{path}.{key}" if path else key, value) for path, key, value in below if fnmatchcase(key, part)]
    return [(path, value) for path, value in found if value is not None]
