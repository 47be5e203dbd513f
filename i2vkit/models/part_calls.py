"""Functions that build chains of adapters, and that call parts with the inputs that they read."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from torch import nn

from i2vkit.models.fields import check_spec
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator_checks import check_reads_steps
from i2vkit.models.interfaces import Adapter, Part
from i2vkit.registry import ADAPTERS, arguments_of, checked
from i2vkit.structures import Content, Motion, Spec, VideoBatch


def flag(part: nn.Module | None, name: str) -> bool:
    """Return a flag of a part, False if it lacks it: parts from outside may not know the whole interface."""
    return bool(getattr(part, name, False))


def call_with_content(
    part: Part, upstream: VideoBatch | Motion, state: GenerationState, content: Content | None
) -> Motion:
    """Call a motion encoder or another motion part, with the content if the part reads it.

    Args:
        part: The part to call.
        upstream: The clip for a motion encoder, the motion for other parts.
        state: Random draws and recurrent states.
        content: Content of the image. Unless the part reads a code for each frame, or the frames before, it gets one
            code (B, D) for each clip.
    """
    if not part.reads_content():
        return part(upstream, state)  # such a part has no third argument
    assert content is not None, "a part that reads content is called with one"
    reads_one_code = not (flag(part, "code_per_frame") or flag(part, "reads_past"))
    if reads_one_code and content.code is not None and content.code.dim() == 3:
        content = replace(content, code=content.code[:, 0])  # (B, T, D) -> (B, D)
    return part(upstream, state, content)


def seen_by(part: nn.Module, content: Content, past: Content | None) -> Content:
    """Return the content for a part: that of the frames before, if the part reads them in a rollout."""
    # ``past`` is None outside of a rollout.
    return past if past is not None and flag(part, "reads_past") else content


def adapters_of(slot: str) -> str:
    """Return the name of the attribute that holds the adapters in front of a slot's part."""
    return "generator_adapters" if slot == "motion_generator" else f"{slot}_adapters"


def chain(
    adapters: Iterable[type[Adapter]], spec: Spec, image_size: int, labelled: bool = True
) -> tuple[nn.ModuleList, Spec]:
    """Build ``adapters`` one after the other.

    Args:
        adapters: Their classes, in the order of their calls.
        spec: Spec in front of the first.
        image_size: Side of the image in pixels.
        labelled: False hides the labels from the adapters, since motion that is encoded from a video must not depend on
            them. True by default.

    Returns:
        The adapters, and the spec behind the last.
    """
    built, condition = nn.ModuleList(), spec.condition
    for adapter in adapters:
        upstream = spec if labelled else replace(spec, condition=0)
        # A constructor of an adapter takes the spec, and the image size if it names that.
        size: dict[str, Any] = {"image_size": image_size} if "image_size" in (arguments_of(adapter) or ()) else {}
        # The interface says nothing about constructors.
        make: Callable[..., Adapter] = adapter
        part: Adapter = checked(ADAPTERS, make(upstream, **size))
        built.append(part)
        field = f"{adapter.side}.{adapter.provides}"
        # The same checks as for parts: one code for each step is readable, and class and spec agree.
        check_reads_steps(part, {f"{adapter.side}.{adapter.reads}"}, spec)
        check_spec(adapter.__name__, part.spec, provides={field}, expected=(field,), upstream=spec)
        spec = replace(part.spec, condition=condition)  # the labels, also where the adapter did not see them
    return built, spec
