"""What is registered: by kind and name, each part's source, and what it reads and gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.registry import ROLES, arguments_of, closest_names, part_names

NAMES = r"DTGAN|ImaGINator|Dual-MTGAN|FRGAN|VGAN|MoCoGAN|pix2pix|C3D|[A-Z][a-z]+ et al\."
PLACE = r"(?:(?:sec|eq|fig|table|tables|algorithm)\b(?:(?!\. [A-Z])[^,;:()])*|(?:19|20)\d\d)"
SOURCE = re.compile(rf"\b({NAMES})(?:'s(?=\s+{PLACE}))?(?:,?\s+\(?({PLACE}(?:,\s{PLACE})*))?")


def kinds() -> dict[str, dict[str, Callable]]:
    """The parts of i2vkit, and those from outside that have been imported, by the kind they are registered as."""
    found = {}
    for kind, registry in ROLES.items():
        part_names(registry)  # imports them
        if registry.module_dict:
            found[kind] = dict(sorted(registry.module_dict.items()))
    return found


def find_kind(text: str) -> str:
    """The kind that ``text`` means: "decoder", "decoders" or "motion_encoder".

    Raises:
        ConfigError: there is none, with the nearest.
    """
    known = kinds()
    wanted = text.lower().replace("_", " ")
    for kind in known:
        if wanted in (kind.replace("_", " "), plural(kind.replace("_", " "))):
            return kind
    raise ConfigError(f"there is no kind of part '{text}'; nearest: {closest_names(wanted, known)}")


def find(name: str) -> tuple[str, Callable]:
    """The kind and the class of a part, by its name.

    Raises:
        ConfigError: there is none, with the nearest.
    """
    known = kinds()
    for kind, parts in known.items():
        if name in parts:
            return kind, parts[name]
    raise ConfigError(
        f"no part is called '{name}'; nearest: {closest_names(name, [n for p in known.values() for n in p])}"
    )


def source_of(part: Callable) -> str:
    """The papers that the docstring of a part names, each with the place that it gives first; "" where it names none.

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
    return re.sub(r"\s+", " ", part.__doc__ or "")


def spec_of(part: Callable) -> str:
    """What a part reads and gives, or what it judges or shows, or else the arguments it takes."""
    fields = {name: getattr(part, name, ()) for name in ("requires", "accepts", "provides")}
    if any(isinstance(value, tuple) and value for value in fields.values()):
        return "; ".join(f"{name} {', '.join(value)}" for name, value in fields.items() if value)
    if hasattr(part, "side"):  # an adapter
        return f"reads {part.side}.{part.reads}; provides {part.side}.{part.provides}"
    if isinstance(kind := getattr(part, "sample_type", None), str):
        return kind
    takes = arguments_of(part) or {}
    return f"takes {', '.join(takes)}" if takes else "takes no arguments"


def arguments_from_builder(part: Callable) -> set[str]:
    """Arguments that a config never gives, as the generator passes them."""
    slots = [slot for slot in GENERATOR_SLOTS.values() if part in slot.registry.module_dict.values()]
    return {name for slot in slots for name in slot.passed}


def plural(kind: str) -> str:
    """Several of a kind.

    >>> plural("adversarial loss"), plural("decoder")
    ('adversarial losses', 'decoders')
    """
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def import_modules(names: list[str]) -> None:
    """Import modules from outside, which register their parts.

    Raises:
        ConfigError: there is no such module.
    """
    for name in names:
        try:
            import_module(name)
        except ImportError as error:
            raise ConfigError(f"{error}: is the folder that holds it in PYTHONPATH?") from error
