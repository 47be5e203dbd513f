"""Builds chains of adapters, and calls parts with what each of them reads."""

from collections.abc import Iterable
from dataclasses import replace

from torch import nn

from i2vkit.models.fields import check_spec
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator_checks import check_reads_steps
from i2vkit.registry import ADAPTERS, arguments_of, checked
from i2vkit.structures import Content, Motion, Spec, VideoBatch


def flag(part: nn.Module | None, name: str) -> bool:
    """Return True if a part says so in its class; parts from outside may not know all that the interface has."""
    return bool(getattr(part, name, False))


def call_with_content(
    part: nn.Module, reads: VideoBatch | Motion, state: GenerationState, content: Content | None
) -> Motion:
    """Call a motion encoder or another motion part; one that reads content gets it too.

    Its code is one a clip, (B, D), unless the part reads one a frame or the frames before.
    """
    if not part.reads_content():
        return part(reads, state)
    one = not (flag(part, "code_per_frame") or flag(part, "reads_past"))
    if one and content.code is not None and content.code.dim() == 3:  # (B, T, D), of every frame
        content = replace(content, code=content.code[:, 0])
    return part(reads, state, content)


def seen_by(part: nn.Module, content: Content, past: Content | None) -> Content:
    """Return what a part gets of the content: in a rollout one that reads the past gets that of the frames before."""
    return past if past is not None and flag(part, "reads_past") else content


def adapters_of(slot: str) -> str:
    """Return the name of the attribute that holds the adapters in front of a slot's part."""
    return "generator_adapters" if slot == "motion_generator" else f"{slot}_adapters"


def chain(adapters: Iterable[type], spec: Spec, image_size: int, labelled: bool = True) -> tuple[nn.ModuleList, Spec]:
    """Build ``adapters`` one after the other; returns them and the spec behind the last.

    Unless ``labelled``, they are told of no labels: motion that is encoded from a video is not to depend on them.
    """
    built, condition = nn.ModuleList(), spec.condition
    for adapter in adapters:
        upstream = spec if labelled else replace(spec, condition=0)
        size = {"image_size": image_size} if "image_size" in (arguments_of(adapter) or ()) else {}
        built.append(checked(ADAPTERS, adapter(upstream, **size)))
        field = f"{adapter.side}.{adapter.provides}"
        check_reads_steps(built[-1], {f"{adapter.side}.{adapter.reads}"}, spec)
        check_spec(adapter.__name__, built[-1].spec, provides={field}, expected=(field,), upstream=spec)
        spec = replace(built[-1].spec, condition=condition)
    return built, spec
