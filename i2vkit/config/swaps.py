"""What follows for weights and phases where a part of a config was put in the place of another."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from i2vkit.config.slots import name_of
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.utils.named import named_entries


def built_on(path: str) -> tuple[str, ...]:
    """Return the slots whose parts the weights of the part at ``path`` were trained with, and fit alone."""
    slot = GENERATOR_SLOTS.get(path.removeprefix("generator."))
    return slot.built_on if slot is not None and path.startswith("generator.") else ()


def reset_swapped_parts(model: dict, swapped: set[str]) -> list[str]:
    """Forget weights, and that they were not to change, of the parts at the paths ``swapped`` and what is built on
    them: these were matters of the parts that went. A phase that updated a part of the generator alone now updates all
    that is not frozen. Changes ``model`` in place; returns a line for each part that trains anew.
    """
    stale = []
    for path in dict.fromkeys([*model.get("frozen", []), *_pretrained_parts(model)]):
        below = {f"generator.{slot}" for slot in built_on(path)}
        if swapped & below or any(f"{path}.".startswith(f"{gone}.") for gone in swapped):
            stale.append(path)
    if stale:
        kept = named_entries(model.get("pretrained"), "pretrained")
        model["pretrained"] = {name: entry for name, entry in kept.items() if entry["part"] not in stale}
        model["frozen"] = [path for path in model.get("frozen", []) if path not in stale]
    if any(path.startswith("generator.") for path in swapped):
        for phase in named_entries(model["phases"], "phases").values():
            whole = ["generator" if path.startswith("generator.") else path for path in phase["updates"]]
            phase["updates"] = list(dict.fromkeys(whole))
    return [f"model.{path} trains from its initial weights, and is not frozen any more" for path in stale]


def _pretrained_parts(model: dict) -> list[str]:
    return [entry["part"] for entry in named_entries(model.get("pretrained"), "pretrained").values()]


def classes_in(cfg: Config) -> dict[str, dict[str, str]]:
    """The class names in every slot of a generator, every discriminator, and whatever else is frozen or loaded, by
    path.
    """
    model = cfg.get("model") or {}
    paths = [*model.get("frozen", []), *_pretrained_parts(model)]
    paths += [f"{key}.{name}" for key in ("generator", "discriminators") for name in model.get(key) or {}]
    classes = {}
    for path in paths:
        part: Any = model
        for name in path.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        classes[path] = _classes(part) if isinstance(part, dict) and "type" in part else {}
    return classes


def _classes(part: dict) -> dict[str, str]:
    """The class names of a part and of those in it that have weights, by path; a discriminator's view has none."""
    found = {"type": name_of(part["type"])}
    for key in ("network", "frame_encoder"):
        if isinstance(part.get(key), dict) and "type" in part[key]:
            found |= {f"{key}.{path}": name for path, name in _classes(part[key]).items()}
    return found
