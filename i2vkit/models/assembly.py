"""The plan of a generator: the parts that are built, and the adapters between them.

The class of each part declares which fields it requires, accepts and provides. The plan follows from these
declarations, before anything is built. A part whose output nobody reads is not built. A required field that no part
provides needs an adapter, or is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from mmengine.logging import print_log

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS, added_slots, motion_steps
from i2vkit.models.interfaces import Adapter, Part
from i2vkit.registry import ADAPTERS, find_part, part_names


@dataclass(frozen=True)
class GeneratorPlan:
    """The parts and adapters to build.

    Attributes:
        used: Slots whose output another part reads, and the decoder.
        content_requested: Fields of the content encoder that another part reads.
        motion_requested: Fields of the motion encoder that another part reads.
        content_adapters: Adapters (classes) behind the content encoder.
        motion_adapters: Adapters (classes) in front of each motion step and of the decoder, by slot.
    """

    used: frozenset[str]
    content_requested: tuple[str, ...]
    motion_requested: tuple[str, ...]
    content_adapters: tuple[type[Adapter], ...]
    motion_adapters: dict[str, tuple[type[Adapter], ...]]

    def all_adapters(self) -> Iterator[type[Adapter]]:
        """Yield every adapter, in the order in which they are called."""
        yield from self.content_adapters
        for adapters in self.motion_adapters.values():
            yield from adapters


def plan_generator(decoder: dict, num_labels: int = 0, **parts: dict | None) -> GeneratorPlan:
    """Return the plan of a generator with these parts.

    Args:
        decoder: Config of the decoder.
        num_labels: Number of labels of the model. 0, the default, for none.
        parts: Configs of the parts in all other planned slots, by name. None, or left out, for an empty slot.

    Raises:
        ConfigError: A part requires a field that no part upstream provides and no adapter makes. The message names
            both parts.
    """
    plan, classes = _plan(decoder, num_labels, parts)
    for slot in _unread(plan, classes):
        print_log(_not_built(slot, classes), "current")
    for adapter in plan.all_adapters():
        print_log(f"adapter {adapter.__name__}: {adapter.side}.{adapter.provides} from {adapter.reads}", "current")
    return plan


def unread_parts(decoder: dict, num_labels: int = 0, **parts: dict | None) -> dict[str, str]:
    """Return a sentence about each slot whose part would not be built, by its name. The arguments are those of a plan.

    Raises:
        ConfigError: As ``plan_generator``.
    """
    plan, classes = _plan(decoder, num_labels, parts)
    return {slot: _not_built(slot, classes) for slot in _unread(plan, classes)}


def _plan(
    decoder: dict, num_labels: int, parts: Mapping[str, dict | None]
) -> tuple[GeneratorPlan, dict[str, type[Part] | None]]:
    """Return the plan, and the classes of all planned slots."""
    classes: dict[str, type[Part] | None] = {}
    for name, slot in GENERATOR_SLOTS.items():
        if slot.planned:
            config = parts.get(name)
            classes[name] = None if config is None else _class_of(name, config)
    # The decoder is always built: everything else depends on what it reads.
    reader = classes["decoder"] = _class_of("decoder", decoder)
    content, encoder = classes["content_encoder"], classes["motion_encoder"]
    content_source = f"content_encoder={_name(content)}"
    content_adapters = _bridge(reader, "content", _content_of(content), content_source)

    # Downstream: the adapters in front of each motion step, and the fields that are available behind it.
    encoded = _provides(encoder) | ({"motion.condition"} if num_labels else set())
    steps = _steps_read(classes, reader, encoded)
    adapters: dict[str, tuple[type[Adapter], ...]] = {}
    available, before = encoded, [f"motion_encoder={_name(encoder)}"]
    for name in motion_steps():
        # A step that nobody reads gets no adapters, and the steps behind it do not see its output.
        if name in steps:
            adapters[name] = _bridge(steps[name], "motion", available, " and ".join(before))
            available = available | steps[name].provides_set()
        # For messages: an empty slot of i2vkit is named too, so that you see which part is missing.
        if classes[name] is not None or name not in added_slots():
            before.append(f"{name}={_name(classes[name])}")
    adapters["decoder"] = _bridge(reader, "motion", available, " and ".join(before))

    # Upstream, from the decoder: the fields that are read of the motion encoder. A field that a step provides anew
    # hides the encoder's.
    read = reader.reads() | {f"motion.{adapter.reads}" for adapter in adapters["decoder"]}
    for name, step in reversed(steps.items()):
        read = (read - step.provides_set()) | step.reads() | {f"motion.{adapter.reads}" for adapter in adapters[name]}

    # All motion parts that are built may read the content too.
    encoder_used = encoder is not None and bool(read & _provides(encoder))
    readers = [reader, *reversed(steps.values()), *([encoder] if encoder is not None and encoder_used else [])]
    for part in readers[1:]:
        content_adapters += _bridge(part, "content", _content_of(content), content_source)
    content_adapters = tuple(dict.fromkeys(content_adapters))  # each once, in order
    content_read = {field for part in readers for field in part.reads()}
    content_read |= {f"content.{adapter.reads}" for adapter in content_adapters}
    content_read &= _provides(content)

    used = {"decoder", *steps}
    used |= {"content_encoder"} if content_read else set()
    used |= {"motion_encoder"} if encoder_used else set()
    plan = GeneratorPlan(
        used=frozenset(used),
        content_requested=tuple(sorted(content_read)),
        motion_requested=tuple(sorted(read & _provides(encoder))),
        content_adapters=content_adapters,
        motion_adapters=adapters,
    )
    return plan, classes


def _steps_read(classes: dict[str, type[Part] | None], reader: type[Part], encoded: set[str]) -> dict[str, type[Part]]:
    """Return the motion steps whose output reaches the decoder, in the order of their calls."""
    order = [(name, part) for name in motion_steps() if (part := classes[name]) is not None]
    readers, read = [reader], reader.reads()
    used: dict[str, type[Part]] = {}
    # From the last step to the first, since a step is read by later ones.
    for i, (name, step) in reversed(list(enumerate(order))):
        # Fields that the readers get if this step is left out.
        upstream = encoded.union(*(other.provides_set() for _, other in order[:i]))
        if step.provides_set() & read or any(_reaches(step, other, upstream) for other in readers):
            used[name] = step
            readers.append(step)
            # What the step provides is read from it, and no longer from the steps before.
            read = (read - step.provides_set()) | step.reads()
    return dict(reversed(used.items()))


def _class_of(slot: str, config: dict) -> type[Part]:
    """Return the class of the part that ``config`` describes for a planned slot."""
    return cast(type[Part], find_part(GENERATOR_SLOTS[slot].registry, config["type"]))


def _name(part: type | None) -> str:
    """Return the name of a class, "None" for an empty slot."""
    return "None" if part is None else part.__name__


def _provides(part: type[Part] | None) -> set[str]:
    """Return the fields that a part can give, none for an empty slot."""
    return set() if part is None else part.provides_set()


def _content_of(encoder: type[Part] | None) -> set[str]:
    """Return the available fields of the content. The image always is one, and in a rollout the frames before."""
    return _provides(encoder) | {"content.image", "content.past"}


def _adapter(need: str, available: set[str]) -> type[Adapter] | None:
    """Return the adapter that makes the field ``need`` from an available one, or None."""
    side, name = need.split(".")
    # ``find_part`` refuses an adapter that does not fulfil the interface.
    adapters = [cast(type[Adapter], find_part(ADAPTERS, known)) for known in part_names(ADAPTERS).values()]
    for adapter in adapters:
        if (adapter.side, adapter.provides) == (side, name) and f"{side}.{adapter.reads}" in available:
            return adapter
    return None


def _bridge(reader: type[Part], side: str, available: set[str], upstream: str) -> tuple[type[Adapter], ...]:
    """Return the adapters that ``reader`` needs on one side ("content" or "motion"). ``upstream`` is for messages."""
    adapters = []
    for need in (*reader.requires, *reader.accepts):
        if not need.startswith(f"{side}.") or need in available:
            continue  # on the other side, or no adapter is needed
        adapter = _adapter(need, available)
        offered = getattr(adapter, "for_accepted", False) and need not in getattr(reader, "as_given", ())
        if need not in reader.requires and not offered:
            continue  # the reader does without
        if adapter is None:
            # The frames before are there only in a rollout, so the message leaves them out.
            given = ", ".join(sorted(available - {"content.past"})) or "nothing"
            raise ConfigError(
                f"{reader.__name__} needs {need}, but {upstream} give(s) {given} and no adapter makes it; "
                f"set a part that gives {need}, or another part in place of {reader.__name__}"
            )
        adapters.append(adapter)
    return tuple(adapters)


def _reaches(step: type[Part], reader: type[Part], upstream: set[str]) -> bool:
    """Return True if ``reader`` requires a field that only an adapter behind ``step`` can make."""
    missing = [need for need in reader.requires if need.startswith("motion.") and need not in upstream]
    return any(_adapter(need, upstream) is None and _adapter(need, step.provides_set()) for need in missing)


def _unread(plan: GeneratorPlan, classes: dict[str, type[Part] | None]) -> list[str]:
    """Return the slots whose part nobody reads."""
    return [slot for slot, part in classes.items() if part is not None and slot not in plan.used]


def _not_built(slot: str, classes: dict[str, type[Part] | None]) -> str:
    reader = _name(classes["decoder"])
    return f"{slot} {_name(classes[slot])} is not built: nothing that {reader} reads comes from it"
