"""Lookup of registered parts by kind and name, with the source and the inputs and outputs of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.registry import ADAPTERS, ROLES, arguments_of, closest_names, part_names

# Names of papers and the places in them, as docstrings write them: "DTGAN eq. 3", "Tulyakov et al., 2018".
NAMES = r"DTGAN|ImaGINator|Dual-MTGAN|FRGAN|VGAN|MoCoGAN|pix2pix|C3D|[A-Z][a-z]+ et al\."
PLACE = r"(?:(?:sec|eq|fig|table|tables|algorithm)\b(?:(?!\. [A-Z])[^,;:()])*|(?:19|20)\d\d)"
SOURCE = re.compile(rf"\b({NAMES})(?:'s(?=\s+{PLACE}))?(?:,?\s+\(?({PLACE}(?:,\s{PLACE})*))?")


def kinds() -> dict[str, dict[str, Callable]]:
    """Return the parts of i2vkit by kind and name. Parts from outside are included if they have been imported."""
    found = {}
    for kind, registry in ROLES.items():
        part_names(registry)  # imports them
        if registry.module_dict:
            found[kind] = dict(sorted(registry.module_dict.items()))
    return found


def find_kind(text: str) -> str:
    """Return the kind that ``text`` means, for instance "decoder", "decoders" or "motion_encoder".

    Raises:
        ConfigError: There is no such kind. The message lists the nearest.
    """
    known = kinds()
    wanted = text.lower().replace("_", " ")
    for kind in known:
        if wanted in (kind.replace("_", " "), plural(kind.replace("_", " "))):
            return kind
    raise ConfigError(f"there is no kind of part '{text}'; nearest: {closest_names(wanted, known)}")


def find(name: str) -> tuple[str, Callable]:
    """Return the kind and the class of the part called ``name``.

    Raises:
        ConfigError: There is no such part. The message lists the nearest.
    """
    known = kinds()
    for kind, parts in known.items():
        if name in parts:
            return kind, parts[name]
    raise ConfigError(
        f"no part is called '{name}'; nearest: {closest_names(name, [n for p in known.values() for n in p])}"
    )


def source_of(part: Callable) -> str:
    """Return the papers that a part's docstring names, each with the first place in it that is given, or "".

    Examples:
        >>> from i2vkit.analysis.parts.registered import source_of
        >>> from i2vkit.models.decoders import FrameDecoder
        >>> source_of(FrameDecoder)
        'Dual-MTGAN eq. 3; MoCoGAN'
    """
    places: dict[str, str] = {}
    for paper, place in SOURCE.findall(_document(part)):
        places[paper] = places.get(paper) or place.strip(". ")
    return "; ".join(f"{paper} {place}".strip() for paper, place in places.items())


def _document(part: Callable) -> str:
    """Return the docstring of a part as one line."""
    return re.sub(r"\s+", " ", part.__doc__ or "")


def spec_of(part: Any) -> str:
    """Return the inputs and outputs of a part, else the type of the samples that it sees, else its arguments."""
    fields = {name: getattr(part, name, ()) for name in ("requires", "accepts", "provides")}
    if any(isinstance(value, tuple) and value for value in fields.values()):
        return "; ".join(f"{name} {', '.join(value)}" for name, value in fields.items() if value)
    if part in ADAPTERS.module_dict.values():
        return f"reads {part.side}.{part.reads}; provides {part.side}.{part.provides}"
    if isinstance(kind := getattr(part, "sample_type", None), str):
        return kind
    takes = arguments_of(part) or {}
    return f"takes {', '.join(takes)}" if takes else "takes no arguments"


def arguments_from_builder(part: Callable) -> set[str]:
    """Return the arguments that the generator passes, so that a config never gives them."""
    slots = [slot for slot in GENERATOR_SLOTS.values() if part in slot.registry.module_dict.values()]
    return {name for slot in slots for name in slot.passed}


def plural(kind: str) -> str:
    """Return the plural of a kind's name.

    >>> plural("adversarial loss"), plural("decoder")
    ('adversarial losses', 'decoders')
    """
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def import_modules(names: list[str]) -> None:
    """Import modules from outside, which register their parts.

    Raises:
        ConfigError: There is no such module.
    """
    for name in names:
        try:
            import_module(name)
        except ImportError as error:
            raise ConfigError(f"{error}: is the folder that holds it in PYTHONPATH?") from error
