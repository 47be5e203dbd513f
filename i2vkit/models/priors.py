"""The prior of a variational motion code: N(0, I), or one that the motion encoder gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.structures import Content, Motion, Spec

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator


def prior_of(
    encoder: nn.Module | None, content: Content | None, state: GenerationState, length: int, spec: Spec
) -> dict[str, Any]:
    """Return ``prior_mean`` and ``prior_log_variance`` of a motion, or {} if the prior is N(0, I).

    Args:
        encoder: The motion encoder, or None.
        content: Content that its prior reads. With None the prior is N(0, I).
        state: Keeps the recurrent state of the prior.
        length: Number of steps.
        spec: Spec of the motion encoder.

    Returns:
        The two fields of ``Motion``: tensors (B, D), or (B, T, D) with ``code_per_step``.

    Raises:
        ConfigError: The encoder's prior is not a mean and a log-variance of these shapes.
    """
    # An encoder from outside need not have a prior.
    prior = getattr(encoder, "prior", None)
    found = None if prior is None or content is None else prior(content, state)
    if found is None:
        return {}  # without the fields, losses take N(0, I)
    assert content is not None, "without a content there is no prior to be found"
    batch = len(content.image)
    clip, steps = (batch, spec.code), (batch, length, spec.code)
    # With a code for each step, one prior for the whole clip is allowed too.
    fits = {clip, steps} if spec.code_per_step else {clip}
    two = isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(value, Tensor) for value in found)
    # A trace, as profiles make it, has tensors for sizes.
    if not two or (not torch.jit.is_tracing() and any(tuple(value.shape) not in fits for value in found)):
        shown = [tuple(value.shape) if isinstance(value, Tensor) else value for value in found] if two else found
        raise ConfigError(
            f"the prior of {type(encoder).__name__} is {shown}, expected mean and log-variance of "
            f"{' or '.join(map(str, sorted(fits, key=len)))}"
        )
    if spec.code_per_step:
        # (B, D) -> (B, 1, D) -> (B, T, D): a prior of the whole clip holds for every step
        found = [value[:, None].expand(steps) if value.dim() == 2 else value for value in found]
    return dict(zip(("prior_mean", "prior_log_variance"), found, strict=True))


def drawn_around(
    generator: Generator, motion: Motion, content: Content | None, state: GenerationState, like: Tensor
) -> Motion:
    """Return ``motion`` with a code drawn from the prior, and with mean and log-variance of the prior.

    Args:
        generator: The generator, whose motion encoder may have a prior of its own.
        motion: A motion without a code.
        content: Content that the prior reads. With None the prior is N(0, I).
        state: Gives the random numbers: one draw for each clip, or with ``code_per_step`` one for each step, which the
            next chunk continues.
        like: A tensor (B, ...) that gives number of clips and device.
    """
    spec = generator.encoded
    shape = (spec.code,)
    if spec.code_per_step:
        # (B, T, D), otherwise (B, D)
        noise = state.normal_per_frame(generator, "prior", motion.length, shape, like=like)
    else:
        noise = state.normal(generator, "prior", shape, like=like)
    prior = prior_of(generator.motion_encoder, content, state, motion.length, spec)
    if prior:
        # Mean + standard deviation * noise. A (B, T, D) prior goes with (B, T, D) noise.
        noise = prior["prior_mean"] + (0.5 * prior["prior_log_variance"]).exp() * noise
    return replace(motion, code=noise, **prior)
