"""Compatibility of parts, decided by the assembly itself: each pair is planned or built."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice, product
from typing import Any

import torch

from i2vkit import registry as roles
from i2vkit.analysis.parts.registered import arguments_from_builder, kinds
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.models import Discriminator, Generator
from i2vkit.models.assembly import GeneratorPlan, plan_generator
from i2vkit.registry import arguments_of, build_part
from i2vkit.structures import Spec

TRIES = 3  # few suffice, since a head does not depend on the parts before the decoder


def planned() -> dict[str, str]:
    """Return the slots of a generator that are planned together, by kind of part, in the order of the data flow."""
    return {slot.registry.name: slot.name for slot in GENERATOR_SLOTS.values() if slot.planned}


@dataclass(frozen=True)
class Partner:
    """Another part and its compatibility: the ``adapters`` that join the two, or the reason of the ``refusal``."""

    kind: str
    name: str
    adapters: tuple[str, ...] = ()
    refusal: str = ""


def partners(kind: str, name: str) -> list[Partner]:
    """Return every part that can be combined with this one in a generator or discriminator, and every one that cannot.

    Two of content encoder, motion encoder, motion generator and decoder are compatible if some plan of a generator
    reads both, with any parts in the other two slots. The plan with the fewest adapters is reported. Heads and refiners
    are built with every decoder, views and adversarial losses with every network, on the meta device.

    Args:
        kind: The kind of the part, as registered.
        name: The name of the part.
    """
    if kind in planned():
        others = [other for other in planned() if other != kind]
        found = [_planned({kind: name, other: its}) for other in others for its in kinds()[other]]
        companions = (roles.HEADS.name, roles.REFINERS.name) if kind == roles.DECODERS.name else ()
        return found + [
            _as_partner(other, its, _built(name, other, its)) for other in companions for its in kinds()[other]
        ]
    if kind in (roles.HEADS.name, roles.REFINERS.name):
        decoder = roles.DECODERS.name
        return [_as_partner(decoder, its, _built(its, kind, name)) for its in kinds()[decoder]]
    network, companions = roles.DISCRIMINATORS.name, (roles.VIEWS.name, roles.ADVERSARIAL_LOSSES.name)
    if kind == network:
        return [_as_partner(other, its, _judges(name, other, its)) for other in companions for its in kinds()[other]]
    if kind in companions:
        return [_as_partner(network, its, _judges(its, kind, name)) for its in kinds()[network]]
    return []


def _as_partner(kind: str, name: str, refusal: str) -> Partner:
    return Partner(kind, name, refusal=refusal)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the assembly inside the context. It logs which parts are not built, and here it runs a thousand times."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


@cache
def _plan(slots: tuple[tuple[str, str | None], ...], labels: int) -> GeneratorPlan | str:
    """Return the plan of a generator with these parts by slot, or the reason why there is none."""
    settings: dict[str, Any] = {slot: None if name is None else {"type": name} for slot, name in slots}
    try:
        with _quiet():
            return plan_generator(**settings, num_labels=labels)
    except ConfigError as error:
        return str(error)


def _planned(pair: dict[str, str]) -> Partner:
    """Return the second part of ``pair`` (kind to name) as the partner of the first."""
    *_, (kind, name) = pair.items()
    slots = planned()
    choices = [[pair[slot]] if slot in pair else [*kinds().get(slot, ()), None] for slot in slots]
    adapters, refusals, unread = [], [], False
    for names in product(*choices):
        # A generator always has a decoder, which is the last slot.
        if names[-1] is None:
            continue
        plan = _plan(tuple(zip(slots.values(), names, strict=True)), labels=1)
        if isinstance(plan, str):
            refusals.append(plan)
        elif all(slots[slot] in plan.used for slot in pair):
            adapters.append(tuple(adapter.__name__ for adapter in plan.all_adapters()))
        else:
            unread = True
    if adapters:
        return Partner(kind, name, adapters=min(adapters, key=len))
    return Partner(kind, name, refusal="nothing reads both" if unread else refusals[0])


@cache
def _built(decoder: str, kind: str, name: str) -> str:
    """Return why a decoder and a head or refiner do not go together, or "" if they do."""
    head = name if kind == roles.HEADS.name else next(iter(kinds()[roles.HEADS.name]))
    settings: dict[str, Any] = {"decoder": {"type": decoder}, "head": {"type": head}}
    if kind == roles.REFINERS.name:
        settings["refiner"] = {"type": name}
    # Combine the decoder with all parts before it, or with none, and keep the combinations that have a plan.
    *upstream, _ = planned()
    choices = [[*filter(partial(_builds_by_itself, slot), kinds().get(slot, ())), None] for slot in upstream]
    generators = (dict(zip(planned().values(), (*names, decoder), strict=True)) for names in product(*choices))
    possible = (slots for slots in generators if isinstance(_plan(tuple(slots.items()), labels=1), GeneratorPlan))
    # One combination that is built is enough, else the last refusal is reported.
    refusal = "no parts give what the decoder needs"
    for slots in islice(possible, TRIES):
        companions = {slot: {"type": its} for slot, its in slots.items() if its and slot != "decoder"}
        refusal = _refusal(Generator, **settings, **companions, image_size=64, num_labels=1, map_channels=1)
        if not refusal:
            break
    return refusal


def _builds_by_itself(kind: str, name: str) -> bool:
    """Return True if a config need not give any argument to build this part."""
    part = kinds()[kind][name]
    takes = arguments_of(part) or {}
    return {
        name for name, parameter in takes.items() if parameter.default is parameter.empty
    } <= arguments_from_builder(part)


@cache
def _judges(network: str, kind: str, name: str) -> str:
    """Return why a discriminator's network and a view or an adversarial loss do not go together, or "" if they do."""
    views, losses = kinds()[roles.VIEWS.name], kinds()[roles.ADVERSARIAL_LOSSES.name]
    own = getattr(roles.DISCRIMINATORS.module_dict[network], "sample_type", None)
    # Leave out views with a fixed length, which may be too short for the network.
    shown = [
        view
        for view, part in views.items()
        if (getattr(part, "sample_type", None), getattr(part, "length", None)) == (own, None)
    ]
    settings = {
        "network": {"type": network},
        "view": {"type": shown[0]},
        "adversarial": {"type": next(iter(losses))},
    }
    settings["view" if kind == roles.VIEWS.name else "adversarial"] = {"type": name}
    return _refusal(Discriminator, **settings, image_size=64, motion=Spec(trajectory=8), num_labels=1, map_channels=1)


def _refusal(part: type, **settings: Any) -> str:
    """Return the assembly's error for ``settings``, or "". Nothing is computed."""
    try:
        with _quiet(), torch.device("meta"):
            build_part(roles.MODELS, {"type": part, **settings})
    except ConfigError as error:
        return str(error)
    return ""
