"""Variants of a config: experiments that differ from it by a few options, kept in the same file under a name.

A config may define a dict ``variants`` at its top level, which is no key of the config::

    variants = {
        "no_fusion": dict(
            help="Without spatio-temporal fusion of the image: video FID 46.02 (table 6).",
            memory="6.0 GiB in fp32",
            options={"model.generator.decoder.fusion": False},
        ),
    }

``tools/train.py imaginator_mug --variant no_fusion`` trains it, and so does its own name, ``imaginator_mug_no_fusion``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from i2vkit.errors import ConfigError
from i2vkit.registry import closest_names

VARIANTS = "variants"  # the name in a config file
_ENTRIES = ("help", "memory", "options", "extends", "data", "name")


@dataclass(frozen=True)
class Variant:
    """One variant as its config describes it.

    Args:
        key: Its name within the config, as ``--variant`` takes it.
        name: Name of the experiment, and so of its work dir. By default the config's name and the key.
        help: Its difference from the config, the row of the paper that it gives, and the expected result.
        options: Its changes, as ``--cfg-options`` would give them. None drops a named entry.
        memory: Memory of a training step, "6.0 GiB in fp32", as ``tools/flops.py --headers`` states it.
        extends: Key of another variant of the config, whose changes come first.
        data: A config of data, relative to the folder of configs, whose loaders, protocols and metrics replace those of
            the config.
    """

    key: str
    name: str
    help: str
    options: Mapping[str, Any]
    memory: str | None = None
    extends: str | None = None
    data: str | None = None


def make_variants(given: Any, path: Path) -> dict[str, Variant]:
    """Return the variants that the config file ``path`` has under ``variants``, by key.

    Args:
        given: The dict ``variants`` of the file.
        path: The file.

    Raises:
        ConfigError: An entry is not as ``Variant`` describes it, or it extends itself or one that does not exist.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{path}: variants is a dict of names, not a {type(given).__name__}")
    found = {}
    for key, entry in given.items():
        if not isinstance(entry, Mapping) or not entry.get("help") or not (entry.get("options") or entry.get("data")):
            raise ConfigError(f'{path}: variant {key} needs help="..." and options={{"model...": ...}}, or data="..."')
        if unknown := [name for name in entry if name not in _ENTRIES]:
            raise ConfigError(
                f"{path}: variant {key} takes no '{unknown[0]}'; nearest: {closest_names(unknown[0], _ENTRIES)}"
            )
        name = entry.get("name") or f"{path.stem}_{key}"
        kept = {item: value for item, value in entry.items() if item not in ("name", "options")}
        found[key] = Variant(key=key, name=name, options=entry.get("options") or {}, **kept)
    for key in found:
        chain(found, key, path)
    return found


def chain(variants: Mapping[str, Variant], key: str, path: Path) -> list[Variant]:
    """Return the variants whose changes make up ``key``, in the order in which they are applied.

    Raises:
        ConfigError: There is no such variant (the message lists those that exist), or they extend each other in a
            circle.
    """
    steps: list[Variant] = []
    wanted: str | None = key
    while wanted is not None:
        if wanted not in variants:
            raise ConfigError(no_variant(wanted, variants, path))
        if variants[wanted] in steps:
            raise ConfigError(f"{path}: variant {key} extends itself")
        steps.insert(0, variants[wanted])
        wanted = variants[wanted].extends
    return steps


def no_variant(key: str, known: Mapping[str, Any], path: Path) -> str:
    """Return the message for a variant that a config does not have."""
    if not known:
        return f"{path} has no variants, so there is no '{key}' of it"
    return f"{path} has no variant '{key}'; nearest: {closest_names(key, known)}. It has: {', '.join(known)}"


@cache
def listed_variants(path: Path) -> dict[str, str]:
    """Return the names of the experiments that a config file lists as variants, with their keys, without running it.

    Raises:
        ConfigError: ``variants`` is not written as a dict with its keys in the file.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return {}  # ``read_config`` reports the error
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or [ast.unparse(target) for target in node.targets] != [VARIANTS]:
            continue
        literal = node.value
        if not isinstance(literal, ast.Dict) or not all(isinstance(key, ast.Constant) for key in literal.keys):
            raise ConfigError(
                f'{path}: write variants = {{"name": dict(help=..., options=...), ...}}, keys as they are'
            )
        keys = [str(key.value) for key in literal.keys if isinstance(key, ast.Constant)]
        for key, entry in zip(keys, literal.values, strict=True):
            named = [word.value for word in getattr(entry, "keywords", ()) if word.arg == "name"]
            name = ast.literal_eval(named[0]) if named else f"{path.stem}_{key}"
            found[name] = key
    return found


def format_variants(variants: Mapping[str, Variant]) -> str:
    """Format the variants as a list for people: name, memory of a step, help.

    >>> print(format_variants({"a": Variant("a", "x_a", "Without b.", {}, memory="1.0 GiB in fp32")}))
    a (x_a, 1.0 GiB in fp32): Without b.
    """
    lines = []
    for variant in variants.values():
        facts = ", ".join(fact for fact in (variant.name, variant.memory) if fact)
        lines.append(f"{variant.key} ({facts}): {' '.join(variant.help.split())}")
    return "\n".join(lines) or "no variants"
