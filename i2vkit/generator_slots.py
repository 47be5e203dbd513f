"""The slots of a generator, as one table.

``Generator``, the checks of configs, the list of parts and swaps of parts all read it. It stands outside ``models``, so
that a config can be checked without importing every model.
"""

from dataclasses import dataclass
from typing import Any

from mmengine.registry import Registry

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

_ALWAYS = ("image_size", "num_labels", "map_channels")


@dataclass(frozen=True)
class Slot:
    """One place for a part in a generator.

    Attributes:
        name: Key of the part in the config of a generator.
        registry: Where the type of the part is looked up. It also knows the interface that the part fulfils.
        planned: True if the plan decides by ``requires``, ``accepts`` and ``provides`` what stands around the part.
        passed: Keyword arguments that the generator passes to a constructor that names them.
        built_on: Slots whose parts shape the weights of this one, so that a swap there makes the weights useless.
    """

    name: str
    registry: Registry
    planned: bool = False
    passed: tuple[str, ...] = ()
    built_on: tuple[str, ...] = ()

    @property
    def interface(self) -> type | None:
        """The base class of the parts that fit here."""
        return interface_of(self.registry)

    def build(self, config: dict | None, known: dict[str, Any]) -> Any:
        """Build the part that ``config`` describes; None stays None.

        Args:
            config: ``dict(type=..., ...)``.
            known: Everything that the generator knows by now; the part gets what is in ``passed``.

        Raises:
            ConfigError: see ``build_part``.
        """
        return build_part(self.registry, config, **{name: known[name] for name in self.passed})


# In the order in which they are built: each gets what those before it have made known.
GENERATOR_SLOTS: dict[str, Slot] = {
    slot.name: slot
    for slot in (
        Slot("content_encoder", CONTENT_ENCODERS, planned=True, passed=(*_ALWAYS, "requested")),
        Slot("motion_encoder", MOTION_ENCODERS, planned=True, passed=(*_ALWAYS, "requested", "content")),
        Slot(
            "motion_generator",
            MOTION_GENERATORS,
            planned=True,
            passed=(*_ALWAYS, "motion", "content"),
            built_on=("motion_encoder",),
        ),
        Slot("head", HEADS),
        Slot(
            "decoder",
            DECODERS,
            planned=True,
            passed=(*_ALWAYS, "content", "motion", "out_channels", "base_requested"),
            built_on=("content_encoder", "motion_encoder", "motion_generator", "head"),
        ),
        Slot("refiner", REFINERS, passed=(*_ALWAYS, "out_channels", "base_requested", "identity_bias")),
    )
}
