"""Clips of any length, made chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState, SeedInterpolation
from i2vkit.models.training.passes import Pass
from i2vkit.structures import Content, Generated, VideoBatch

if TYPE_CHECKING:
    from i2vkit.models.generator import Generator


class Autocast(Protocol):
    """The context of forward passes on a device."""

    def __call__(self, device: torch.device) -> AbstractContextManager:
        """Return the context."""


def generate_in_chunks(
    generator: Generator,
    clips: Iterable[VideoBatch],
    seeds: Sequence[int | SeedInterpolation],
    autocast: Autocast,
    content: Tensor | None = None,
    motion: str = "driving",
) -> Iterator[Generated]:
    """Generate a batch of clips of any length, chunk by chunk; memory does not grow with the length.

    Args:
        generator: In eval mode.
        clips: Successive chunks of one batch.
        seeds: One a clip of the batch; With a ``SeedInterpolation`` the video lies on the way from one seed to the
            other.
        autocast: The precision of forward passes.
        content: Images (B, 3, H, W) to animate; by default the first chunk's image or else its first frame.
        motion: "driving", encoded from the clips, or "prior", without a driving video.

    Yields:
        One ``Generated`` a chunk.

    Raises:
        ConfigError: if motion is to be drawn and there is no prior, if a second chunk comes and a part of the generator
            cannot carry on, and for a length that the generator cannot make.
    """
    if motion == "prior" and not generator.has_prior:
        raise ConfigError("sampled motion was asked for, but this model is deterministic: give it a driving video")
    state, entry = GenerationState(seeds), Pass(motion=motion)
    fixed: Content | None = None
    for number, clip in enumerate(clips):
        if number and not generator.supports_chunks:
            raise ConfigError("this generator makes a clip in one piece only: a part of it needs the whole clip")
        with autocast(clip.driving.device):
            if fixed is None:
                first = clip if content is None else replace(clip, image=content)
                fixed = generator.encode_content(first, "driving" if first.image is None else "image")
            encoded = generator.motion_of(clip, entry, state, fixed)
            made = generator.make(fixed, encoded, clip, state, entry)
        yield made
