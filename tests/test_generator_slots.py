"""The table of a generator's slots, against the generator, the parts and what else reads it."""

import inspect

import pytest

from i2vkit.analysis.parts.partners import planned
from i2vkit.analysis.parts.registered import arguments_from_builder
from i2vkit.config.slots import registries_of
from i2vkit.config.swaps import built_on
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS, Slot
from i2vkit.models import Generator
from i2vkit.models.interfaces import Decoder
from i2vkit.registry import DECODERS, HEADS, arguments_of, part_names


def test_the_generator_has_exactly_these_slots():
    arguments = inspect.signature(Generator).parameters
    others = {"image_size", "num_labels", "map_channels", "passes", "skips_from", "added"}
    assert set(arguments) - others == set(GENERATOR_SLOTS)


@pytest.mark.parametrize("name", GENERATOR_SLOTS)
def test_a_part_asks_for_nothing_that_its_slot_does_not_pass(name):
    slot = GENERATOR_SLOTS[name]
    assert part_names(slot.registry)
    for part in slot.registry.module_dict.values():
        assert issubclass(part, slot.interface)
        required = {key for key, value in arguments_of(part).items() if value.default is value.empty}
        assert required <= set(slot.passed), part
        assert arguments_from_builder(part) == set(slot.passed)


def test_what_weights_are_built_on_is_built_before():
    order = list(GENERATOR_SLOTS)
    for slot in GENERATOR_SLOTS.values():
        assert all(order.index(below) < order.index(slot.name) for below in slot.built_on)


def test_configs_parts_and_swaps_read_the_table():
    for name, slot in GENERATOR_SLOTS.items():
        assert registries_of(name) == (slot.registry,)
    assert list(planned().values()) == ["content_encoder", "motion_encoder", "motion_generator", "decoder"]
    assert built_on("generator.motion_generator") == ("motion_encoder",)
    assert built_on("generator.head") == built_on("discriminators.frame") == ()


def test_a_slot_builds_with_what_it_passes_alone():
    head = Slot("head", HEADS).build(dict(type="DirectHead"), {"image_size": 8})
    assert head.channels == 3
    assert Slot("head", HEADS).build(None, {}) is None
    assert GENERATOR_SLOTS["decoder"].interface is Decoder
    with pytest.raises(ConfigError, match="'UNetDecoder' needs the argument 'image_size'"):
        Slot("decoder", DECODERS).build(dict(type="UNetDecoder"), {"image_size": 32})
