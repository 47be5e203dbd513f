"""The slots of a generator, as one table.

``Generator``, the checks of configs, the list of parts and the replacement of parts all read this table. It is not in
``models``, so that a config can be checked without importing every model. A project can add a slot of its own between
the motion parts with ``add_slot``.
"""

from dataclasses import dataclass, replace
from typing import Any

from mmengine.registry import Registry

from i2vkit.errors import ConfigError
from i2vkit.registry import (
    CONTENT_ENCODERS,
    DECODERS,
    HEADS,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    REFINERS,
    build_part,
    interface_of,
)

# Arguments that every part may ask for.
_ALWAYS = ("image_size", "num_labels", "map_channels")


@dataclass(frozen=True)
class Slot:
    """One place for a part in a generator.

    Attributes:
        name: Key of the part in the config of a generator, and its attribute there.
        registry: Registry in which the type of the part is looked up. It also knows the interface of the part.
        requires: Names of the inputs that the part is called with.
        provides: Name of its output: "content", "motion", "features" for the head, or "video".
        planned: True if the plan reads ``requires``, ``accepts`` and ``provides`` of the part's class, to insert
            adapters and to leave out parts that nobody reads. Default False.
        passed: Keyword arguments that the generator passes to a constructor that names them.
        built_on: Slots whose parts shape the weights of this one. Another part there makes these weights useless.
    """

    name: str
    registry: Registry
    requires: tuple[str, ...] = ()
    provides: str = ""
    planned: bool = False
    passed: tuple[str, ...] = ()
    built_on: tuple[str, ...] = ()

    @property
    def interface(self) -> type | None:
        """Return the base class of the parts that fit here."""
        return interface_of(self.registry)

    @property
    def changes_motion(self) -> bool:
        """Return True if the part is called with a motion and returns it with something added."""
        return self.provides == "motion" and "motion" in self.requires

    def build(self, config: dict | None, known: dict[str, Any]) -> Any:
        """Build the part that ``config`` describes.

        Args:
            config: ``dict(type=..., ...)``, or None for an empty slot.
            known: Everything that the generator knows by now. The part gets the entries that ``passed`` names.

        Returns:
            The part, or None for an empty slot.

        Raises:
            ConfigError: The part is unknown, has a wrong argument, or lacks a member (see ``build_part``).
        """
        return build_part(self.registry, config, **{name: known[name] for name in self.passed})


# Slots stand in the order in which they are built, since each is built with what the parts before it have made known.
# They are called in this order too, except for the head: it is built before the decoder and called after it.
GENERATOR_SLOTS: dict[str, Slot] = {
    slot.name: slot
    for slot in (
        Slot(
            "content_encoder",
            CONTENT_ENCODERS,
            requires=("image",),
            provides="content",
            planned=True,
            passed=(*_ALWAYS, "requested"),
        ),
        Slot(
            "motion_encoder",
            MOTION_ENCODERS,
            requires=("clip", "content"),
            provides="motion",
            planned=True,
            passed=(*_ALWAYS, "requested", "content"),
        ),
        Slot(
            "motion_generator",
            MOTION_GENERATORS,
            requires=("motion", "content"),
            provides="motion",
            planned=True,
            passed=(*_ALWAYS, "motion", "content"),
            built_on=("motion_encoder",),
        ),
        Slot("head", HEADS, requires=("features", "base"), provides="video"),
        Slot(
            "decoder",
            DECODERS,
            requires=("content", "motion"),
            provides="features",
            planned=True,
            passed=(*_ALWAYS, "content", "motion", "out_channels", "base_requested", "head"),
            built_on=("content_encoder", "motion_encoder", "motion_generator", "head"),
        ),
        Slot(
            "refiner",
            REFINERS,
            requires=("video", "maps"),
            provides="features",
            passed=(*_ALWAYS, "out_channels", "base_requested", "identity_bias"),
        ),
    )
}
_OURS = frozenset(GENERATOR_SLOTS)
# Names that a generator uses for something else, so that no slot may have them.
_TAKEN = frozenset(
    ("head", "passes", "image_size", "num_labels", "map_channels", "skips_from", "motion", "encoded", "lengths", "type")
)


def motion_steps() -> dict[str, Slot]:
    """Return the slots behind the motion encoder whose parts change the motion, in the order of their calls."""
    return {name: slot for name, slot in GENERATOR_SLOTS.items() if slot.changes_motion}


def added_slots() -> list[str]:
    """Return the names of the slots that projects have added."""
    return [name for name in GENERATOR_SLOTS if name not in _OURS]


def add_slot(name: str, registry: Registry, after: str = "motion_generator") -> Slot:
    """Add a slot for parts that change the motion, on its way from the motion encoder to the decoder.

    A part of the slot is a ``Part``. It is called as ``part(motion, state)``, or as ``part(motion, state, content)`` if
    it names a field of the content. It returns the motion with the fields that it ``provides``. The plan treats it like
    all other parts: it inserts adapters in front of it, and it builds the part only if another part reads its output.
    Call ``add_slot`` where the parts are defined, so that a config that imports them has the slot.

    Args:
        name: Key of the part in the config of a generator, for instance "motion_smoother".
        registry: Registry of its parts, from ``add_role``.
        after: The slot before the new one: "motion_encoder", "motion_generator" (default) or an added slot.

    Returns:
        The new entry of the table.

    Raises:
        ConfigError: The name is no identifier or is taken, ``registry`` has no interface, or ``after`` is not a slot
            between motion encoder and decoder.

    Examples:
        >>> from i2vkit.generator_slots import add_slot, motion_steps, remove_slot
        >>> from i2vkit.models.interfaces import MotionGenerator
        >>> from i2vkit.registry import add_role, remove_role
        >>> slot = add_slot("motion_smoother", add_role("motion smoother", MotionGenerator))
        >>> list(motion_steps())
        ['motion_generator', 'motion_smoother']
        >>> remove_slot("motion_smoother"), remove_role("motion smoother")
        (None, None)
    """
    if not name.isidentifier() or name in GENERATOR_SLOTS or name in _TAKEN:
        raise ConfigError(f"a slot cannot be called {name!r}: take an identifier that a generator does not have yet")
    if interface_of(registry) is None:
        raise ConfigError(f"slot '{name}' needs a registry of its own, whose parts have an interface: see add_role")
    before = [other for other, slot in GENERATOR_SLOTS.items() if slot.provides == "motion"]
    if after not in before:
        raise ConfigError(
            f"slot '{name}' cannot stand behind '{after}': a slot is added between the motion encoder and the decoder, "
            f"behind one of {', '.join(before)}"
        )
    order = list(GENERATOR_SLOTS)
    place = order.index(after) + 1
    upstream = tuple(other for other in before if other in order[:place])
    slot = replace(GENERATOR_SLOTS["motion_generator"], name=name, registry=registry, built_on=upstream)
    # A dict keeps the order of insertion, so the later slots are taken out and put back behind the new one.
    later = {other: GENERATOR_SLOTS[other] for other in order[place:]}
    for other in later:
        del GENERATOR_SLOTS[other]
    GENERATOR_SLOTS[name] = slot
    for other, entry in later.items():
        reads_motion = entry.planned and "motion" in entry.requires
        GENERATOR_SLOTS[other] = replace(entry, built_on=(*entry.built_on, name)) if reads_motion else entry
    return slot


def remove_slot(name: str) -> None:
    """Remove a slot that ``add_slot`` has added from the table.

    Args:
        name: Name of the slot.

    Raises:
        ConfigError: No such slot was added.
    """
    if name not in added_slots():
        raise ConfigError(f"slot '{name}' was not added; those that were: {', '.join(added_slots()) or 'none'}")
    del GENERATOR_SLOTS[name]
    for other, slot in list(GENERATOR_SLOTS.items()):
        GENERATOR_SLOTS[other] = replace(slot, built_on=tuple(below for below in slot.built_on if below != name))
