"""Which parts of a generator are built, and what stands between them.

The parts' classes say what they need, use and give; from that, and before anything is built, follows who is read by
whom. A part that nobody reads is not built; a need that nobody fills gets an adapter or ends in an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mmengine.logging import print_log

from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS, added_slots, motion_steps
from i2vkit.models.interfaces import Part
from i2vkit.registry import ADAPTERS, find_part, part_names


@dataclass(frozen=True)
class GeneratorPlan:
    """What to build.

    Attributes:
        used: The slots that somebody reads, the decoder among them.
        content_requested, motion_requested: Fields of each encoder that somebody reads.
        content_adapters: Adapters (classes) behind the content encoder.
        motion_adapters: Adapters in front of each motion step and of the decoder, by slot.
    """

    used: frozenset[str]
    content_requested: tuple[str, ...]
    motion_requested: tuple[str, ...]
    content_adapters: tuple[type, ...]
    motion_adapters: dict[str, tuple[type, ...]]

    def all_adapters(self) -> Iterator[type]:
        """Yield every adapter, in the order in which they are called."""
        yield from self.content_adapters
        for adapters in self.motion_adapters.values():
            yield from adapters


def plan_generator(decoder: dict, num_labels: int = 0, **parts: dict | None) -> GeneratorPlan:
    """Work out what the decoder and the motion parts read from whom.

    Args:
        decoder: Config of the decoder.
        num_labels: Number of labels of the model; 0 for none.
        parts: Configs of the parts in all other planned slots, by name; None, or left out, for an empty slot.

    Raises:
        ConfigError: if a part needs something that nothing upstream gives and no adapter makes; names both parts.
    """
    classes = {name: _class_of(name, parts.get(name)) for name, slot in GENERATOR_SLOTS.items() if slot.planned}
    content, encoder, reader = classes["content_encoder"], classes["motion_encoder"], _class_of("decoder", decoder)
    pictured = f"content_encoder={_name(content)}"
    content_adapters = _bridge(reader, "content", _content_of(content), pictured)

    encoded = _provides(encoder) | ({"motion.condition"} if num_labels else set())
    steps = _steps_read(classes, reader, encoded)
    adapters: dict[str, tuple[type, ...]] = {}
    available, before = encoded, [f"motion_encoder={_name(encoder)}"]
    for name in motion_steps():
        if name in steps:
            adapters[name] = _bridge(steps[name], "motion", available, " and ".join(before))
            available = available | steps[name].provides_set()
        if classes[name] is not None or name not in added_slots():
            before.append(f"{name}={_name(classes[name])}")
    adapters["decoder"] = _bridge(reader, "motion", available, " and ".join(before))

    # From the decoder upstream: what is read of the motion encoder, past what the steps between give anew.
    read = reader.reads() | {f"motion.{adapter.reads}" for adapter in adapters["decoder"]}
    for name, step in reversed(steps.items()):
        read = (read - step.provides_set()) | step.reads() | {f"motion.{adapter.reads}" for adapter in adapters[name]}

    # Motion parts may read the content too, those that are built.
    encoder_used = bool(read & _provides(encoder))
    readers = [reader, *reversed(steps.values()), *([encoder] if encoder_used else [])]
    for part in readers[1:]:
        content_adapters += _bridge(part, "content", _content_of(content), pictured)
    content_adapters = tuple(dict.fromkeys(content_adapters))
    content_read = set().union(*(part.reads() for part in readers), {f"content.{a.reads}" for a in content_adapters})
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
    _log(plan, reader, classes)
    return plan


def _steps_read(classes: dict[str, type[Part] | None], reader: type[Part], encoded: set[str]) -> dict[str, type[Part]]:
    """The motion steps of which something reaches the decoder, in the order of their calls."""
    order = [(name, classes[name]) for name in motion_steps() if classes[name] is not None]
    readers, read, used = [reader], reader.reads(), {}
    for i, (name, step) in reversed(list(enumerate(order))):
        upstream = encoded.union(*(other.provides_set() for _, other in order[:i]))
        if step.provides_set() & read or any(_reaches(step, other, upstream) for other in readers):
            used[name] = step
            readers.append(step)
            read = (read - step.provides_set()) | step.reads()
    return dict(reversed(used.items()))


def _class_of(slot: str, config: dict | None) -> type[Part] | None:
    return None if config is None else find_part(GENERATOR_SLOTS[slot].registry, config["type"])


def _name(part: type | None) -> str:
    return "None" if part is None else part.__name__


def _provides(part: type[Part] | None) -> set[str]:
    return set() if part is None else part.provides_set()


def _content_of(encoder: type[Part] | None) -> set[str]:
    """Return what there is of the content: the image in any case, and in a rollout the frames before."""
    return _provides(encoder) | {"content.image", "content.past"}


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
            given = ", ".join(sorted(available - {"content.past"})) or "nothing"
            raise ConfigError(
                f"{reader.__name__} needs {need}, but {upstream} give(s) {given} and no adapter makes it; "
                f"set a part that gives {need}, or another part in place of {reader.__name__}"
            )
        adapters.append(adapter)
    return tuple(adapters)


def _reaches(step: type[Part], reader: type[Part], upstream: set[str]) -> bool:
    """True if what ``step`` gives reaches ``reader`` through an adapter, and without ``step`` nothing would."""
    missing = [need for need in reader.requires if need.startswith("motion.") and need not in upstream]
    return any(_adapter(need, upstream) is None and _adapter(need, step.provides_set()) for need in missing)


def _log(plan: GeneratorPlan, reader: type[Part], classes: dict[str, type[Part] | None]) -> None:
    for slot, part in classes.items():
        if part is not None and slot not in plan.used:
            print_log(
                f"{slot} {part.__name__} is not built: nothing that {reader.__name__} reads comes from it", "current"
            )
    for adapter in plan.all_adapters():
        print_log(f"adapter {adapter.__name__}: {adapter.side}.{adapter.provides} from {adapter.reads}", "current")
