"""Changes of a config by dotted options: values, and parts that are swapped for others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmengine.registry import Registry

from i2vkit.config.slots import (
    EXTRA_KEYS,
    NAMED,
    REFUSED,
    TOP_LEVEL,
    allowed_keys,
    name_of,
    registries_of,
    resolve,
    slot_below,
)
from i2vkit.config.swaps import classes_in, reset_swapped_parts
from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

_CHANGES = "_i2vkit_changes"  # an attribute of the Config, which is no key of it


def override(cfg: Config, options: dict[str, Any], log: bool = True) -> None:
    """Apply dotted ``options`` to ``cfg`` in place.

    Swapped parts, and their consequences, are logged and kept for ``changes_of``.

    Args:
        cfg: The config, changed in place.
        options: Values by dotted keys.
        log: Log and keep the swaps. Default True.

    Raises:
        ConfigError: A part does not exist, or a key neither exists nor could.
    """
    before = classes_in(cfg)
    changes: list[str] = []
    tree: dict = {}
    for key, value in _flat(options):
        node = tree
        for name in key[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{'.'.join(key)} and a key above it are both set")
        node[key[-1]] = value
    _merge(cfg._cfg_dict, tree, "", None, changes)
    model = cfg.get("model")
    if isinstance(model, dict) and isinstance(model.get("frozen"), str):
        model["frozen"] = [model["frozen"]]  # model.frozen=generator.decoder means the one part, not its letters
    after = classes_in(cfg)
    # A part that an option loads or adds has no earlier weights that could be stale.
    if swapped := {path for path in after if path in before and after[path] != before[path]}:
        changes += reset_swapped_parts(cfg.model, swapped)
    if not log:
        return
    for line in changes:
        print_log(line, "current")
    object.__setattr__(cfg, _CHANGES, [*changes_of(cfg), *changes])  # copies of a Config keep its attributes


def changes_of(cfg: Config) -> list[str]:
    """Return the lines of ``override`` about ``cfg``: swapped parts and the consequences.

    Copies of a config have the same.
    """
    return vars(cfg).get(_CHANGES, [])


def _flat(options: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in options.items():
        path = (*above, *str(key).split("."))
        if isinstance(value, dict) and value:
            yield from _flat(value, path)
        else:
            yield path, value


def _merge(old: dict | list, new: dict, path: str, slot: tuple[Registry, ...] | None, changes: list[str]) -> None:
    for key, value in new.items():
        where = f"{path}.{key}" if path else key
        below = slot_below(old, slot, key)
        index = _index(old, key, where) if isinstance(old, list) else key
        present = isinstance(old, list) or key in old
        if not isinstance(old, list) and not present:
            _must_be_known(old, key, value, where, path, slot)
        current = old[index] if present else None
        if not isinstance(value, dict) or _empties(value, current):
            old[index] = value
        elif isinstance(current, dict | list) and not _swaps(current, value, where, below, changes):
            _merge(current, value, where, below, changes)
        elif "type" in value or not below or key in NAMED or _is_plain_dict(old, slot, path, key):
            if present and current is None and below and "type" in value:
                changes.append(f"{where}: None -> {name_of(value['type'])}")
            old[index] = ConfigDict(value)
        else:
            raise ConfigError(f"there is no part at '{where}'; give {where}.type too")


def _empties(value: dict, current: Any) -> bool:
    """Return True if an option ``{}`` takes all entries away. A part keeps its arguments, since it has a type."""
    return not value and isinstance(current, dict) and "type" not in current


def _is_plain_dict(old: dict | list, slot: tuple[Registry, ...] | None, path: str, key: str) -> bool:
    """Return True if ``key`` is an argument that takes a dict without a type, such as ``optim_wrapper.clip_grad``."""
    if key in EXTRA_KEYS.get(path, ()):
        return True
    return isinstance(old, dict) and registries_of(key) is None and key in (allowed_keys(old, slot, path) or ())


def _index(values: list, key: str, where: str) -> int:
    if not key.isdigit() or int(key) >= len(values):
        raise ConfigError(f"'{where}': there is a list of {len(values)} entries; give a number below {len(values)}")
    return int(key)


def _must_be_known(old: dict, key: str, value: Any, where: str, path: str, slot: tuple[Registry, ...] | None) -> None:
    """Check a new key: an argument of the part, a new part among named ones, or a key of the top level."""
    if "type" in old:
        return  # check_config knows the arguments of the class, which may be about to change
    if not path and key in REFUSED:
        return  # check_config says why
    known = TOP_LEVEL if not path else allowed_keys(old, slot, path)
    if (known is not None and key in known) or (slot and isinstance(value, dict) and "type" in value):
        return
    raise ConfigError(f"no key '{where}' in the config; nearest: {closest_names(key, {*(known or ()), *old})}")


def _swaps(old: dict | list, new: dict, where: str, slot: tuple[Registry, ...] | None, changes: list[str]) -> bool:
    """Return True if ``new`` replaces ``old`` by another part. ``changes`` then gets a line about it."""
    if "type" not in new or not isinstance(old, dict) or "type" not in old:
        return False
    before, after = resolve(old["type"], slot, where), resolve(new["type"], slot, where)
    if before is after and (before is not None or old["type"] == new["type"]):
        return False
    dropped = ", ".join(name for name in old if name != "type" and name not in new)
    changes.append(
        f"{where}: {name_of(old['type'])} -> {name_of(new['type'])}"
        + (f"; arguments dropped: {dropped}" if dropped else "")
    )
    return True
