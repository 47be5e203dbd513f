"""The consequences for weights and phases when an option replaces a part of a config by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from i2vkit.config.slots import name_of
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.utils.named import named_entries
from i2vkit.values import check_argument


def built_on(path: str) -> tuple[str, ...]:
    """Return the slots with which the weights of the part at ``path`` were trained, and on which they depend."""
    slot = GENERATOR_SLOTS.get(path.removeprefix("generator."))
    return slot.built_on if slot is not None and path.startswith("generator.") else ()


def reset_swapped_parts(model: dict, swapped: set[str]) -> list[str]:
    """Drop the pre-trained weights, and the freezing, of swapped parts and of all parts that are built on them.

    Both belonged to the parts that were replaced. A phase that updated a single part of the generator now updates all
    of it that is not frozen.

    Args:
        model: Config of a model, changed in place.
        swapped: Paths of the swapped parts.

    Returns:
        A line for each part that trains from its initial weights now.
    """
    stale = []
    for path in dict.fromkeys([*model.get("frozen", []), *_pretrained_parts(model)]):
        below = {f"generator.{slot}" for slot in built_on(path)}
        if swapped & below or any(f"{path}.".startswith(f"{gone}.") for gone in swapped):
            stale.append(path)
    if stale:
        kept = named_entries(model.get("pretrained"), "pretrained")
        model["pretrained"] = {name: entry for name, entry in kept.items() if entry.get("part") not in stale}
        model["frozen"] = [path for path in model.get("frozen", []) if path not in stale]
    if any(path.startswith("generator.") for path in swapped):
        for phase in named_entries(model["phases"], "phases").values():
            whole = ["generator" if path.startswith("generator.") else path for path in phase["updates"]]
            phase["updates"] = list(dict.fromkeys(whole))
    return [f"model.{path} trains from its initial weights, and is not frozen any more" for path in stale]


def refuse_unread(cfg: Config, before: Mapping[str, dict[str, str]]) -> None:
    """Refuse a part that an option has put into a slot of the generator from which nothing is read.

    A part that becomes unread because another one was swapped is logged when the model is built, and left out.

    Args:
        cfg: The config, with the options.
        before: ``classes_in`` of the config without them.

    Raises:
        ConfigError: There is such a part.
    """
    model = cfg.get("model") or {}
    given = {path: kinds["type"] for path, kinds in classes_in(cfg).items() if "type" in kinds}
    added = {path.removeprefix("generator.") for path in given if before.get(path, {}).get("type") != given[path]}
    parts = {slot: part for slot, part in (model.get("generator") or {}).items() if slot in GENERATOR_SLOTS}
    planned = {slot: part for slot, part in parts.items() if GENERATOR_SLOTS[slot].planned}
    if not added & planned.keys() - {"decoder"} or not planned.get("decoder"):
        return
    from i2vkit.models.assembly import unread_parts

    try:
        unread = unread_parts(num_labels=len(model.get("labels") or ()), **planned)
    except ConfigError:
        return  # parts that do not fit are refused when they are built
    for slot, text in unread.items():
        if slot in added:
            raise ConfigError(f"model.generator.{text}. Leave it away, or swap the part that should read it")


def _pretrained_parts(model: dict) -> list[str]:
    entries = named_entries(model.get("pretrained"), "pretrained")
    for name, entry in entries.items():
        check_argument(name, entry, dict, "model.pretrained")
    return [entry["part"] for entry in entries.values() if isinstance(entry.get("part"), str)]


def classes_in(cfg: Config) -> dict[str, dict[str, str]]:
    """Return the class names of all parts that can be swapped, by path.

    These are every slot of a generator, every discriminator, and all other parts that are frozen or loaded.

    Raises:
        ConfigError: The model, its parts or what it loads are no dicts, or what is frozen is no list of paths.
    """
    model = cfg.get("model") or {}
    check_argument("model", model, dict, "")
    check_argument("frozen", model.get("frozen", ()), Sequence[str], "model")
    paths = [*model.get("frozen", []), *_pretrained_parts(model)]
    for key in ("generator", "discriminators"):
        check_argument(key, model.get(key), dict | None, "model")
    paths += [f"{key}.{name}" for key in ("generator", "discriminators") for name in model.get(key) or {}]
    classes = {}
    for path in paths:
        part: Any = model
        for name in path.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        classes[path] = _classes(part) if isinstance(part, dict) and "type" in part else {}
    return classes


def _classes(part: dict) -> dict[str, str]:
    """Return the class names of a part and of the parts in it that have weights, by path.

    A discriminator's view has none.
    """
    found = {"type": name_of(part["type"])}
    for key in ("network", "frame_encoder"):
        if isinstance(part.get(key), dict) and "type" in part[key]:
            found |= {f"{key}.{path}": name for path, name in _classes(part[key]).items()}
    return found
