"""Which parts of a generator are built, and what stands between them.

The parts' classes say what they need, use and give; from that, and before anything is built, follows who is read by
whom. A part that nobody reads is not built; a need that nobody fills gets an adapter or ends in an error.
"""

from dataclasses import dataclass

from mmengine.logging import print_log

from i2vkit.errors import ConfigError
from i2vkit.models.interfaces import Part
from i2vkit.registry import (
    ADAPTERS,
    CONTENT_ENCODERS,
    DECODERS,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    find_part,
    part_names,
)


@dataclass(frozen=True)
class GeneratorPlan:
    """What to build: the slots that somebody reads, and the adapters (classes) behind each."""

    content_encoder: bool
    motion_encoder: bool
    motion_generator: bool
    content_requested: tuple[str, ...]
    motion_requested: tuple[str, ...]
    content_adapters: tuple[type, ...]
    generator_adapters: tuple[type, ...]
    decoder_adapters: tuple[type, ...]


def plan_generator(
    decoder: dict,
    content_encoder: dict | None,
    motion_encoder: dict | None,
    motion_generator: dict | None,
    num_labels: int,
) -> GeneratorPlan:
    """Work out what the decoder and the motion parts read from whom.

    Raises:
        ConfigError: if a part needs something that nothing upstream gives and no adapter makes; names both parts.
    """
    reader = find_part(DECODERS, decoder["type"])
    content = _class_of(CONTENT_ENCODERS, content_encoder)
    encoder = _class_of(MOTION_ENCODERS, motion_encoder)
    generator = _class_of(MOTION_GENERATORS, motion_generator)

    pictured = f"content_encoder={_name(content)}"
    content_adapters = _bridge(reader, "content", _content_of(content), pictured)

    labels = {"motion.condition"} if num_labels else set()
    encoded = _provides(encoder) | labels
    generator_used = generator is not None and _is_read(generator, reader, encoded)
    generator_adapters: tuple[type, ...] = ()
    available, read = encoded, reader.reads()
    if generator_used:
        generator_adapters = _bridge(generator, "motion", encoded, f"motion_encoder={_name(encoder)}")
        available = encoded | generator.provides_set()
        read = (read - generator.provides_set()) | generator.reads()
        read |= {f"motion.{a.reads}" for a in generator_adapters}
    upstream = f"motion_encoder={_name(encoder)} and motion_generator={_name(generator)}"
    decoder_adapters = _bridge(reader, "motion", available, upstream)
    made = generator.provides_set() if generator_used else set()
    read |= {f"motion.{a.reads}" for a in decoder_adapters} - made

    # Motion parts may read the content too, those that are built.
    encoder_used = bool(read & _provides(encoder))
    readers = [reader, *([generator] if generator_used else []), *([encoder] if encoder_used else [])]
    for part in readers[1:]:
        content_adapters += _bridge(part, "content", _content_of(content), pictured)
    content_adapters = tuple(dict.fromkeys(content_adapters))
    content_read = set().union(*(part.reads() for part in readers), {f"content.{a.reads}" for a in content_adapters})
    content_read &= _provides(content)

    plan = GeneratorPlan(
        content_encoder=bool(content_read),
        motion_encoder=encoder_used,
        motion_generator=generator_used,
        content_requested=tuple(sorted(content_read)),
        motion_requested=tuple(sorted(read & _provides(encoder))),
        content_adapters=content_adapters,
        generator_adapters=generator_adapters,
        decoder_adapters=decoder_adapters,
    )
    _log(plan, reader, content, encoder, generator)
    return plan


def _class_of(registry, config: dict | None) -> type[Part] | None:
    return None if config is None else find_part(registry, config["type"])


def _name(part: type | None) -> str:
    return "None" if part is None else part.__name__


def _provides(part: type[Part] | None) -> set[str]:
    return set() if part is None else part.provides_set()


def _content_of(encoder: type[Part] | None) -> set[str]:
    """Return what there is of the content: the image in any case."""
    return _provides(encoder) | {"content.image"}


def _adapter(need: str, available: set[str]) -> type | None:
    """The adapter that makes ``need`` from something available."""
    side, name = need.split(".")
    # Looked up, so that one that does not fulfil the interface is refused.
    for adapter in [find_part(ADAPTERS, its) for its in part_names(ADAPTERS).values()]:
        if (adapter.side, adapter.provides) == (side, name) and f"{side}.{adapter.reads}" in available:
            return adapter
    return None


def _bridge(reader: type[Part], side: str, available: set[str], upstream: str) -> tuple[type, ...]:
    """The adapters that ``reader`` needs on one side ("content" or "motion")."""
    adapters = []
    for need in reader.requires:
        if not need.startswith(f"{side}.") or need in available:
            continue
        adapter = _adapter(need, available)
        if adapter is None:
            given = ", ".join(sorted(available)) or "nothing"
            raise ConfigError(
                f"{reader.__name__} needs {need}, but {upstream} give(s) {given} and no adapter makes it; "
                f"set a part that gives {need}, or another part in place of {reader.__name__}"
            )
        adapters.append(adapter)
    return tuple(adapters)


def _is_read(generator: type[Part], reader: type[Part], encoded: set[str]) -> bool:
    """Whether what ``generator`` gives reaches ``reader``, directly or through an adapter."""
    if generator.provides_set() & reader.reads():
        return True
    missing = [need for need in reader.requires if need.startswith("motion.") and need not in encoded]
    return any(_adapter(need, encoded) is None and _adapter(need, generator.provides_set()) for need in missing)


def _log(plan: GeneratorPlan, reader, content, encoder, generator) -> None:
    for used, slot, part in (
        (plan.content_encoder, "content_encoder", content),
        (plan.motion_encoder, "motion_encoder", encoder),
        (plan.motion_generator, "motion_generator", generator),
    ):
        if part is not None and not used:
            print_log(
                f"{slot} {part.__name__} is not built: nothing that {reader.__name__} reads comes from it", "current"
            )
    for adapter in (*plan.content_adapters, *plan.generator_adapters, *plan.decoder_adapters):
        print_log(f"adapter {adapter.__name__}: {adapter.side}.{adapter.provides} from {adapter.reads}", "current")
