"""What is registered: each part's source, what it reads and gives, and which parts it goes with."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from itertools import islice, product
from typing import Any

import torch

from i2vkit import registry as roles
from i2vkit.errors import ConfigError
from i2vkit.models import Critic, Generator
from i2vkit.models.assembly import Plan, plan_generator
from i2vkit.models.part import Part
from i2vkit.registry import ROLES, arguments_of, build_part, nearest, part_names
from i2vkit.structures import Spec

# The slots of a generator that are planned together, in the order of what flows.
PLANNED = {
    roles.CONTENT_ENCODERS.name: "content_encoder",
    roles.MOTION_ENCODERS.name: "motion_encoder",
    roles.MOTION_GENERATORS.name: "motion_generator",
    roles.DECODERS.name: "decoder",
}
TRIES = 3  # what stands upstream of the decoder is nothing to a head
NAMES = r"DTGAN|ImaGINator|Dual-MTGAN|FRGAN|VGAN|MoCoGAN|pix2pix|C3D|[A-Z][a-z]+ et al\."
PLACE = r"(?:(?:sec|eq|fig|table|tables|algorithm)\b(?:(?!\. [A-Z])[^,;:()])*|(?:19|20)\d\d)"
SOURCE = re.compile(rf"\b({NAMES})(?:'s(?=\s+{PLACE}))?(?:,?\s+\(?({PLACE}(?:,\s{PLACE})*))?")


@dataclass(frozen=True)
class Partner:
    """How a part gets on with one of another ``kind``: by which ``adapters``, or the ``refusal``."""

    kind: str
    name: str
    adapters: tuple[str, ...] = ()
    refusal: str = ""


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
    raise ConfigError(f"there is no kind of part '{text}'; nearest: {nearest(wanted, known)}")


def find(name: str) -> tuple[str, Callable]:
    """The kind and the class of a part, by its name.

    Raises:
        ConfigError: there is none, with the nearest.
    """
    known = kinds()
    for kind, parts in known.items():
        if name in parts:
            return kind, parts[name]
    raise ConfigError(f"no part is called '{name}'; nearest: {nearest(name, [n for p in known.values() for n in p])}")


def source_of(part: Callable) -> str:
    """The papers that the docstring of a part names, each with the place that it gives first; "" where it names none.

    Examples:
        >>> from i2vkit.apis.parts import source_of
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
    fields = {name: getattr(part, name, ()) for name in ("needs", "uses", "gives")}
    if any(isinstance(value, tuple) and value for value in fields.values()):
        return "; ".join(f"{name} {', '.join(value)}" for name, value in fields.items() if value)
    if hasattr(part, "side"):  # an adapter
        return f"reads {part.side}.{part.reads}; gives {part.side}.{part.gives}"
    if isinstance(kind := getattr(part, "kind", None), str):
        return kind
    takes = arguments_of(part) or {}
    return f"takes {', '.join(takes)}" if takes else "takes no arguments"


def partners(kind: str, name: str) -> list[Partner]:
    """Every part that could stand beside this one in a generator or critic, as the assembly itself judges.

    Content encoder, motion encoder, motion generator and decoder go together if the generator is planned with both
    read, whatever stands in the other two slots (with the fewest adapters). Heads and refiners are built with every
    decoder, views and adversarial losses with every network, on the meta device.
    """
    if kind in PLANNED:
        others = [other for other in PLANNED if other != kind]
        found = [_planned({kind: name, other: its}) for other in others for its in kinds()[other]]
        beside = (roles.HEADS.name, roles.REFINERS.name) if kind == roles.DECODERS.name else ()
        return found + [_as_partner(other, its, _built(name, other, its)) for other in beside for its in kinds()[other]]
    if kind in (roles.HEADS.name, roles.REFINERS.name):
        decoder = roles.DECODERS.name
        return [_as_partner(decoder, its, _built(its, kind, name)) for its in kinds()[decoder]]
    network, beside = roles.DISCRIMINATORS.name, (roles.VIEWS.name, roles.ADVERSARIAL_LOSSES.name)
    if kind == network:
        return [_as_partner(other, its, _judges(name, other, its)) for other in beside for its in kinds()[other]]
    if kind in beside:
        return [_as_partner(network, its, _judges(its, kind, name)) for its in kinds()[network]]
    return []


def _as_partner(kind: str, name: str, refusal: str) -> Partner:
    return Partner(kind, name, refusal=refusal)


@contextmanager
def _quiet() -> Iterator[None]:
    """The assembly logs which parts are not built; here it is asked a thousand times."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


@cache
def _plan(slots: tuple[tuple[str, str | None], ...], labels: int) -> Plan | str:
    """The plan of a generator with these parts by slot, or why there is none."""
    settings = {slot: None if name is None else {"type": name} for slot, name in slots}
    try:
        with _quiet():
            return plan_generator(**settings, num_labels=labels)
    except ConfigError as error:
        return str(error)


def _planned(pair: dict[str, str]) -> Partner:
    """The second part of ``pair`` (kind to name) as the partner of the first."""
    *_, (kind, name) = pair.items()
    choices = [[pair[slot]] if slot in pair else [*kinds()[slot], None] for slot in PLANNED]
    adapters, refusals, unread = [], [], False
    for names in product(*choices):
        if names[-1] is None:
            continue
        plan = _plan(tuple(zip(PLANNED.values(), names, strict=True)), labels=1)
        if isinstance(plan, str):
            refusals.append(plan)
        elif all(getattr(plan, PLANNED[slot], True) for slot in pair):
            used = (*plan.content_adapters, *plan.generator_adapters, *plan.decoder_adapters)
            adapters.append(tuple(adapter.__name__ for adapter in used))
        else:
            unread = True
    if adapters:
        return Partner(kind, name, adapters=min(adapters, key=len))
    return Partner(kind, name, refusal="nothing reads both" if unread else refusals[0])


@cache
def _built(decoder: str, kind: str, name: str) -> str:
    """Why a decoder and a head or refiner do not go together; "" if they do."""
    head = name if kind == roles.HEADS.name else next(iter(kinds()[roles.HEADS.name]))
    settings: dict[str, Any] = {"decoder": {"type": decoder}, "head": {"type": head}}
    if kind == roles.REFINERS.name:
        settings["refiner"] = {"type": name}
    choices = [[*filter(partial(_builds_by_itself, slot), kinds()[slot]), None] for slot in list(PLANNED)[:3]]
    generators = (dict(zip(PLANNED.values(), (*names, decoder), strict=True)) for names in product(*choices))
    planned = (slots for slots in generators if isinstance(_plan(tuple(slots.items()), labels=1), Plan))
    refusal = "no parts give what the decoder needs"
    for slots in islice(planned, TRIES):
        beside = {slot: {"type": its} for slot, its in slots.items() if its and slot != "decoder"}
        refusal = _refusal(Generator, **settings, **beside, image_size=64, num_labels=1, map_channels=1)
        if not refusal:
            break
    return refusal


def _builds_by_itself(kind: str, name: str) -> bool:
    """Whether a part needs no argument that a config must give."""
    part = kinds()[kind][name]
    takes = arguments_of(part) or {}
    return {name for name, parameter in takes.items() if parameter.default is parameter.empty} <= _handed(part)


@cache
def _judges(network: str, kind: str, name: str) -> str:
    """Why a critic's network and a view or an adversarial loss do not go together; "" if they do."""
    views, losses = kinds()[roles.VIEWS.name], kinds()[roles.ADVERSARIAL_LOSSES.name]
    own = getattr(roles.DISCRIMINATORS.module_dict[network], "kind", None)
    settings = {
        "network": {"type": network},
        "view": {"type": next(view for view, part in views.items() if getattr(part, "kind", None) == own)},
        "adversarial": {"type": next(iter(losses))},
    }
    settings["view" if kind == roles.VIEWS.name else "adversarial"] = {"type": name}
    return _refusal(Critic, **settings, image_size=64, motion=Spec(trajectory=8), num_labels=1, map_channels=1)


def _refusal(part: type, **settings: Any) -> str:
    """What the assembly says against ``settings``; nothing is computed."""
    try:
        with _quiet(), torch.device("meta"):
            build_part(roles.MODELS, {"type": part, **settings})
    except ConfigError as error:
        return str(error)
    return ""


def as_list(kind: str) -> str:
    """One line a part of ``kind``: name, source, what it reads and gives, and how many of each kind it goes with."""
    lines = []
    for name, part in kinds()[kind].items():
        columns = [name, source_of(part) or "-", spec_of(part)]
        groups: dict[str, list[Partner]] = {}
        for partner in partners(kind, name):
            groups.setdefault(partner.kind, []).append(partner)
        counts = [
            f"{sum(not each.refusal for each in group)} of {len(group)} {plural(other)}"
            for other, group in groups.items()
        ]
        lines.append([*columns, f"goes with {', '.join(counts)}" if counts else ""])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([kind, *(f"  {row}" for row in rows)])


def as_spec(name: str) -> str:
    """Everything about one part: docstring, arguments with their defaults, and each partner with adapters or refusal.

    Raises:
        ConfigError: there is no such part, with the nearest.
    """
    kind, part = find(name)
    lines = [f"{name}: {kind}, in {part.__module__}", "", inspect.getdoc(part) or "", "", "arguments"]
    takes = arguments_of(part) or {}
    handed = _handed(part)
    for argument, parameter in takes.items():
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        lines.append(f"  {argument}{default}" + (" (handed over by the assembly)" if argument in handed else ""))
    lines += [] if takes else ["  none"]
    lines += ["", spec_of(part), f"source: {source_of(part) or 'none is named'}"]
    before = ""
    for partner in partners(kind, name):
        lines += ["", plural(partner.kind)] if partner.kind != before else []
        before = partner.kind
        how = f"through {', '.join(partner.adapters)}" if partner.adapters else "as it is"
        lines.append(f"  {partner.name}: " + (f"refused: {partner.refusal}" if partner.refusal else how))
    return "\n".join(lines)


def _handed(part: Callable) -> set[str]:
    """Arguments that a config never gives."""
    if not (inspect.isclass(part) and issubclass(part, Part)):
        return set()
    return {"image_size", "wanted", "content", "motion", "out_channels", "base_wanted", "num_labels", "map_channels"}


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
