"""Generation of clips of any length, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState, SeedInterpolation
from i2vkit.models.generator_checks import check_passes
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
    observed: int = 1,
) -> Iterator[Generated]:
    """Generate a batch of clips of any length, chunk by chunk. Memory does not grow with the length.

    Args:
        generator: A generator in eval mode.
        clips: Successive chunks of one batch.
        seeds: One seed for each clip of the batch. A ``SeedInterpolation`` gives a video between those of two seeds.
        autocast: The precision of forward passes.
        content: Images (B, 3, H, W) in [-1, 1] to animate. By default the image of the first chunk, or else its first
            frame.
        motion: "driving" (default) encodes the motion of the clips, "prior" draws it without a driving video.
        observed: Number of leading frames of the first chunk that are given, 1 by default. With more, the last of them
            is the image, and the generator must read the frames before.

    Yields:
        One ``Generated`` for each chunk.

    Raises:
        ConfigError: Motion shall be drawn and the generator has no prior; there is a second chunk and a part does not
            support chunks; or the generator cannot make clips of this length.
    """
    if motion == "prior" and not generator.has_prior:
        raise ConfigError("sampled motion was asked for, but this model is deterministic: give it a driving video")
    # One state for all chunks: it keeps random draws, recurrent states and, in a rollout, the last frame.
    state, entry = GenerationState(seeds), Pass(motion=motion, observed=observed)
    check_passes(generator, {"test": entry} if observed > 1 else {})
    fixed: Content | None = None
    for number, clip in enumerate(clips):
        if number and not generator.supports_chunks:
            raise ConfigError("this generator makes a clip in one piece only: a part of it needs the whole clip")
        with autocast(clip.driving.device):
            if fixed is None:
                # The content of the first chunk serves all of them.
                # The image to animate: the given one, that of the batch, or the first driving frame.
                first = clip if content is None else replace(clip, image=content)
                driven = first.image is None or observed > 1
                frame = min(observed, clip.driving.shape[2]) - 1  # the last observed one
                fixed = generator.encode_content(first, "driving" if driven else "image", frame=frame)
            encoded = generator.motion_of(clip, entry, state, fixed)
            made = generator.make(fixed, encoded, clip, state, entry)
        yield made  # outside of autocast, in which the caller's code must not run
