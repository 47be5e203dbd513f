"""The prior of a variational motion: N(0, I), or a prior of the motion encoder's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator


def prior_of(
    encoder: nn.Module | None, content: Content | None, state: GenerationState, length: int, spec: Spec
) -> dict[str, Tensor]:
    """Return ``prior_mean`` and ``prior_log_variance`` of a motion, or nothing where the prior is N(0, I).

    Args:
        encoder: The motion encoder.
        content: What its prior reads; with none the prior is N(0, I).
        state: Where its state is kept.
        length: Number of steps.
        spec: Of the motion encoder.

    Returns:
        Tensors (B, D), or (B, T, D) with ``code_per_step``.

    Raises:
        ConfigError: the prior is something else.
    """
    prior = getattr(encoder, "prior", None)
    found = None if prior is None or content is None else prior(content, state)
    if found is None:
        return {}
    batch = len(content.image)
    clip, steps = (batch, spec.code), (batch, length, spec.code)
    fits = {clip, steps} if spec.code_per_step else {clip}
    two = isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(value, Tensor) for value in found)
    if not two or any(tuple(value.shape) not in fits for value in found):
        shown = [tuple(value.shape) if isinstance(value, Tensor) else value for value in found] if two else found
        raise ConfigError(
            f"the prior of {type(encoder).__name__} is {shown}, expected mean and log-variance of "
            f"{' or '.join(map(str, sorted(fits, key=len)))}"
        )
    if spec.code_per_step:
        found = [value[:, None].expand(steps) if value.dim() == 2 else value for value in found]
    return dict(zip(("prior_mean", "prior_log_variance"), found, strict=True))


def drawn_around(
    generator: Generator, motion: Motion, content: Content | None, state: GenerationState, like: Tensor
) -> Motion:
    """Return ``motion`` with a code drawn from the prior, and the prior itself.

    A code is drawn once a clip, or anew for each step, so that chunks follow on each other.
    """
    spec = generator.encoded
    shape = (spec.code,)
    if spec.code_per_step:
        noise = state.normal_per_frame(generator, "prior", motion.length, shape, like=like)
    else:
        noise = state.normal(generator, "prior", shape, like=like)
    prior = prior_of(generator.motion_encoder, content, state, motion.length, spec)
    if prior:
        noise = prior["prior_mean"] + (0.5 * prior["prior_log_variance"]).exp() * noise
    return replace(motion, code=noise, **prior)
