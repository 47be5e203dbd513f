"""Checks of the outputs of a generator's parts, while it makes its first video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.structures import Content, FeatureSpec, Generated, Motion, Points, Spec

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator
    from i2vkit.models.interfaces import ContentEncoder, MotionEncoder, Part

# Names of the tensors that a head may return.
MADE = {entry.name for entry in fields(Generated)} & {"video", "mask", "residual", "base", "flow"}


@contextmanager
def checked_outputs(generator: Generator) -> Iterator[list[nn.Module]]:
    """Check every output of a part against its spec and the interface of its role, inside a ``with`` block.

    Args:
        generator: Generator whose parts are checked.

    Yields:
        The parts and adapters that are being called, the innermost last. Behind an error the last one has raised it.

    Raises:
        ConfigError: A part returned something else. The message names the part, its output and the expected one.
    """
    channels = generator.head.channels
    # The channels come first, since torch calls a hook with the part, its inputs and its output.
    checks: list[tuple[nn.Module | None, Callable[..., None]]] = [
        (generator.content_encoder, _check_content),
        (generator.motion_encoder, _check_encoded),
        *((part, _check_motion) for part in generator.motion_parts),
        (generator.decoder, partial(_check_decoded, channels)),
        (generator.head, _check_made),
        (generator.refiner, partial(_check_refined, channels)),
    ]
    # Hooks, so that ``Generator`` itself is free of checks and costs nothing more in training.
    handles = [part.register_forward_hook(check) for part, check in checks if part is not None]
    called: list[nn.Module] = []

    def enter(part: nn.Module, inputs: tuple) -> None:
        called.append(part)

    def leave(part: nn.Module, inputs: tuple, output: Any) -> None:
        called.pop()

    adapters = [*generator.content_adapters, *generator.called_by_step()]
    for part in {*adapters, *(part for part, _ in checks if part is not None)}:
        handles += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        yield called
    finally:
        for handle in handles:
            handle.remove()


def _check_content(part: ContentEncoder, inputs: tuple, output: Any) -> None:
    """Check the output of a content encoder."""
    _expect(part, isinstance(output, Content), output, "a Content")
    spec, images = part.spec, len(inputs[0])  # inputs[0] is (N, 3, H, W)
    if spec.code:
        _expect_shape(part, "code", output.code, (images, spec.code))
    _expect_levels(part, "pyramid", output.pyramid, spec.pyramid, images)


def _check_encoded(part: MotionEncoder, inputs: tuple, output: Any) -> None:
    """Check the output of a motion encoder: a motion, whose mean and log-variance have the shape of the code."""
    _check_motion(part, inputs, output)
    if not part.spec.variational:
        return
    # A frequent mistake: (B, T, D) from an encoder that declares one code for each clip.
    hint = "" if part.spec.code_per_step else " (for a posterior over time, set code_per_step=True in the spec)"
    for name in ("mean", "log_variance"):
        _expect_shape(part, name, getattr(output, name), tuple(output.code.shape), hint)


def _check_motion(part: Part, inputs: tuple, output: Any) -> None:
    """Check every field of a motion that the spec of the part declares, and that there is no other."""
    _expect(part, isinstance(output, Motion), output, "a Motion")
    spec = part.spec
    clips: int | None = None  # any number, until the first field tells it
    if spec.code:
        steps = (output.length,) if spec.code_per_step else ()  # (B, T, D) or (B, D)
        hint = "" if steps else ": for a code a step, set code_per_step=True in the spec"
        clips = _expect_shape(part, "code", output.code, (clips, *steps, spec.code), hint)
    if spec.trajectory:
        clips = _expect_shape(part, "trajectory", output.trajectory, (clips, output.length, spec.trajectory))
    if spec.maps:
        _expect(
            part, set(output.maps) == set(spec.map_groups), sorted(output.maps), f"maps for {list(spec.map_groups)}"
        )
        for name, levels in output.maps.items():
            _expect_levels(part, f"maps[{name!r}]", levels, spec.maps, clips)
    if spec.points:
        _check_points(part, output, spec.points)
    if spec.flow:
        # The spec has its stride; the size in pixels follows from the rounding of the part.
        flow = output.flow
        _expect(part, isinstance(flow, Tensor) and flow.dim() == 5, flow, "flow of shape (B, 2, T, h, w)")
        _expect_shape(part, "flow", flow, (clips, 2, output.length, *flow.shape[3:]))
    _expect_no_more(part, output, spec)


def _check_points(part: nn.Module, output: Motion, number: int) -> None:
    """Check the shapes of all points of a motion."""
    _expect(part, bool(output.points), output.points, 'points, for instance "driving"')
    for name, points in output.points.items():
        _expect(part, isinstance(points, Points), points, f"points[{name!r}] as Points")
        steps = (output.length,) if points.place.dim() == 4 else ()  # (B, T, K, 2), or (B, K, 2) of one picture
        _expect_shape(part, f"points[{name!r}].place", points.place, (None, *steps, number, 2))
        for matrices in ("spread", "affine"):
            if (value := getattr(points, matrices)) is not None:
                _expect_shape(part, f"points[{name!r}].{matrices}", value, (None, *steps, number, 2, 2))


def _expect_no_more(part: nn.Module, output: Motion, spec: Spec) -> None:
    """Refuse a field that the spec does not declare, since no part downstream would read it."""
    for name in ("code", "trajectory", "maps", "points", "flow"):
        value = getattr(output, name)
        # An empty code (B, 0) counts as none, as LabelFusion gives it without noise.
        given = value.shape[-1] if isinstance(value, Tensor) else value
        if given and not spec.provides(name):
            raise ConfigError(
                f"{type(part).__name__} returned a motion with {name}, and its spec has none: add it to the spec and "
                f"'motion.{name}' to provides"
            )


def _check_decoded(channels: int, part: nn.Module, inputs: tuple, output: Any) -> None:
    """Check the output of a decoder: features with ``channels`` channels, and a base."""
    several = isinstance(output, tuple | list) and len(output) in (2, 3)
    right = several and all(isinstance(x, Tensor) for x in output[:2])
    right = right and all(isinstance(x, tuple) for x in output[2:])
    _expect(part, right, output, "two tensors: features for the head, and a base (and perhaps coarser videos)")
    content, motion, *_ = inputs
    batch, _, *sides = content.image.shape  # (B, C, H, W)
    features, base, *scales = output
    for level in scales[0] if scales else ():
        side = level.shape[-1] if isinstance(level, Tensor) else None
        _expect_shape(part, "a coarser video", level, (batch, 3, motion.length, side, side))
    _expect_shape(part, "features", features, (batch, channels, motion.length, *sides))
    length = 1 if base.dim() == 5 and base.shape[2] == 1 else motion.length  # one image for the clip, or a video
    _expect_shape(part, "base", base, (batch, 3, length, *sides))


def _check_made(part: nn.Module, inputs: tuple, output: Any) -> None:
    """Check the names in the output of a head, and the size of its video."""
    _expect(part, isinstance(output, dict) and "video" in output, output, "a dict with 'video'")
    _expect(part, output.keys() <= MADE, sorted(output), f"a dict with names of these alone: {sorted(MADE)}")
    batch, _, *sizes = inputs[0].shape  # features (B, channels, T, H, W)
    _expect_shape(part, "video", output["video"], (batch, 3, *sizes))


def _check_refined(channels: int, part: nn.Module, inputs: tuple, output: Any) -> None:
    """Check the output of a refiner: features with ``channels`` channels and the size of the coarse video."""
    batch, _, *sides = inputs[0].shape  # (B, 3, T, H, W)
    _expect(part, isinstance(output, Tensor), output, "a tensor: features for the head")
    _expect_shape(part, "features", output, (batch, channels, *sides))


def _expect_levels(
    part: nn.Module, name: str, maps: tuple[Tensor, ...], levels: tuple[FeatureSpec, ...], batch: int | None
) -> None:
    """Check that there is a map for every level of the spec, with its channels. The next part checks the sizes."""
    expected = [level.channels for level in levels]
    channels = [level.shape[1] for level in maps]
    same = channels == expected and all(batch in (None, len(level)) for level in maps)
    _expect(part, same, f"{name} of {channels} channels", f"{name} of {expected} channels, as its spec says")


def _expect_shape(part: nn.Module, name: str, value: Any, shape: tuple[int | None, ...], hint: str = "") -> int:
    """Refuse a shape other than ``shape``, in which None stands for any size, and return the batch size."""
    right = isinstance(value, Tensor) and value.dim() == len(shape)
    right = right and all(size in (None, found) for size, found in zip(shape, value.shape, strict=True))
    found = tuple(value.shape) if isinstance(value, Tensor) else value
    expected = f"({', '.join('B' if size is None else str(size) for size in shape)}){hint}"
    _expect(part, right, f"{name} of shape {found}" if isinstance(value, Tensor) else f"{name}={found!r}", expected)
    return len(value)


def _expect(part: nn.Module, condition: bool, found: Any, expected: str) -> None:
    """Raise ``ConfigError`` with the output and the expected one unless ``condition`` holds."""
    if not condition:
        shown = found if isinstance(found, str | list) else _described(found)
        raise ConfigError(f"{type(part).__name__} returned {shown}, expected {expected}")


def _described(value: Any) -> str:
    """Return a short description: the shape of a tensor, and otherwise the type. Messages contain no values."""
    if isinstance(value, Tensor):
        return f"one tensor {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"{len(value)} values ({', '.join(type(item).__name__ for item in value)})"
    if isinstance(value, dict):
        return f"a dict of {sorted(map(str, value))}"
    return f"a {type(value).__name__}"
