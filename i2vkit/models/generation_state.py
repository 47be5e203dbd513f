"""The random draws and recurrent states of a batch of clips while it is generated, chunk by chunk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2vkit.errors import ConfigError


@dataclass(frozen=True)
class SeedInterpolation:
    """A random draw between those of two seeds, to be given in place of a seed.

    Normal draws are interpolated on the sphere, so that they keep the length of draws of N(0, I). A straight line would
    pass near the mean. Uniform draws are interpolated on the circle, so that they stay uniform.

    Args:
        start: Seed of the draws at ``share=0``.
        end: Seed of the draws at ``share=1``.
        share: Position between the two, in [0, 1].
    """

    start: int
    end: int
    share: float


def spherical(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Return the spherical interpolation between two tensors of one shape, each taken as one vector.

    Args:
        start: Result at ``share=0``.
        end: Result at ``share=1``.
        share: Position on the great circle between the two, in [0, 1]. (Nearly) parallel vectors are interpolated on a
            straight line.

    Examples:
        >>> import torch
        >>> from i2vkit.models.generation_state import spherical
        >>> halfway = spherical(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
        >>> [round(value, 4) for value in halfway.tolist()]  # sqrt(2) each: the length stays 2
        [1.4142, 1.4142]
    """
    lengths = start.norm() * end.norm()
    # Two vectors of length 0 count as parallel.
    cosine = (start * end).sum() / lengths if lengths > 0 else start.new_ones(())
    angle = torch.arccos(cosine.clamp(-1, 1))  # clamped, since rounding may lead beyond
    sine = torch.sin(angle)
    if sine < 1e-4:  # parallel: the division below would be by about 0
        return torch.lerp(start, end, share)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / sine


class GenerationState:
    """The random draws and recurrent states of a batch of clips while they are generated.

    A part asks this object for random numbers instead of torch. Each draw is made once for a clip and stays the same
    for all its chunks, so that a clip made in chunks equals the clip made at once.

    Args:
        seeds: One seed for each clip. The draws of a clip then depend only on its own seed, and not on the rest of the
            batch. A ``SeedInterpolation`` gives draws between those of two seeds. None, the default, for training: the
            draws come from torch's global generator.
        like: A tensor (B, ...) of the batch, which gives number of clips and device. The generator sets both by
            ``set_batch``, so that parts can draw without any input tensor.

    Attributes:
        recurrent: The state that a part keeps for the next chunk, by part.

    Examples:
        >>> import torch
        >>> from i2vkit.models.generation_state import GenerationState
        >>> part, batch = torch.nn.Identity(), torch.zeros(2, 3)
        >>> noise = GenerationState(seeds=[1, 2]).normal(part, "noise", (4,), like=batch)
        >>> noise.shape
        torch.Size([2, 4])
        >>> other = GenerationState(seeds=[2]).normal(part, "noise", (4,), like=batch[:1])
        >>> torch.equal(noise[1], other[0])  # a clip depends on its own seed
        True
    """

    def __init__(self, seeds: Sequence[int | SeedInterpolation] | None = None, like: Tensor | None = None):
        self.seeds = seeds
        self.recurrent: dict[nn.Module, Any] = {}
        self._batch = None if like is None else (len(like), like.device)
        # Both by part and name of the draw: numbers drawn once for a clip, and sources of numbers for each step.
        self._draws: dict[tuple[nn.Module, str], Tensor] = {}
        self._sources: dict[tuple[nn.Module, str], list[Callable[[], Tensor]]] = {}

    def set_batch(self, like: Tensor) -> None:
        """Take number of clips and device from ``like`` (B, ...), a tensor of the batch."""
        self._batch = len(like), like.device

    def normal(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """Return standard normal numbers (B, *shape), the same ones for all chunks of a clip.

        Args:
            part: The part that draws.
            name: Name of the draw; a part may make several.
            shape: Shape of the numbers of one clip.
            like: A tensor (B, ...) that gives number of clips and device. By default they are those of the batch.

        Raises:
            ConfigError: There is no ``like``, and no batch was set.
        """
        return self._draw(part, name, shape, like, torch.randn)

    def uniform(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """Return numbers (B, *shape), uniform in [0, 1). Arguments and errors are those of ``normal``."""
        return self._draw(part, name, shape, like, torch.rand)

    def normal_per_frame(
        self, part: nn.Module, name: str, length: int, shape: tuple[int, ...], like: Tensor | None = None
    ) -> Tensor:
        """Return standard normal numbers (B, T, *shape), new ones for each of ``length`` steps.

        The numbers of the next chunk continue those of this one. The other arguments and errors are those of
        ``normal``.
        """
        batch, device = self._batch_of(like)
        if self.seeds is None:
            # Without seeds the numbers need not be the same again, so no source is kept.
            return torch.randn(batch, length, *shape, device=device)
        key = (part, name)
        if key not in self._sources:
            order = self._order()
            self._sources[key] = [_draws(torch.randn, shape, seed, order) for seed in self.seeds]
        # Drawn step by step, since one large draw gives other numbers than two smaller ones.
        rows = [torch.stack([draw() for _ in range(length)]) for draw in self._sources[key]]  # B times (T, *shape)
        return torch.stack(rows).to(device)  # (B, T, *shape)

    @property
    def used_rng(self) -> bool:
        """Return True if any random number was drawn."""
        # Draws of size 0, as LabelFusion makes them with noise=0, do not count.
        return bool(self._sources) or any(draws.numel() for draws in self._draws.values())

    def _order(self) -> int:
        """Return the number of draws so far, from which the next draw gets random numbers of its own."""
        return len(self._draws) + len(self._sources)

    def _batch_of(self, like: Tensor | None) -> tuple[int, torch.device]:
        """Return number of clips and device of a draw."""
        if like is not None:
            return len(like), like.device
        if self._batch is None:
            raise ConfigError(
                "a part draws noise from a generation state that serves no batch yet: call state.set_batch(tensor), as "
                "the generator does before its parts run, or give the draw like=tensor"
            )
        return self._batch

    def _draw(
        self,
        part: nn.Module,
        name: str,
        shape: tuple[int, ...],
        like: Tensor | None,
        sampler: Callable[..., Tensor],
    ) -> Tensor:
        """Return the draw that was made for this part and name, or make it by ``sampler``."""
        key = (part, name)
        if key not in self._draws:
            batch, device = self._batch_of(like)
            if self.seeds is None:
                # Straight on the device, from torch's global generator.
                self._draws[key] = sampler(batch, *shape, device=device)
            else:
                self._draws[key] = _draw_once(sampler, shape, self.seeds, self._order()).to(device)
        return self._draws[key]


@torch.compiler.disable(reason="a compiled graph cannot seed a generator of its own")
def _draw_once(
    sampler: Callable, shape: tuple[int, ...], seeds: Sequence[int | SeedInterpolation], order: int
) -> Tensor:
    """Return the first draws (B, *shape) of all seeds."""
    return torch.stack([_draws(sampler, shape, seed, order)() for seed in seeds])  # B times (*shape)


def _draws(
    sampler: Callable, shape: tuple[int, ...], seed: int | SeedInterpolation, order: int
) -> Callable[[], Tensor]:
    """Return a function whose calls give one draw after the other, of a seed or between two seeds."""
    if not isinstance(seed, SeedInterpolation):
        # One source for all calls, so that each call continues the numbers of the one before.
        source = _generator(seed, order)
        return lambda: sampler(*shape, generator=source, device="cpu")
    if seed.share in (0, 1):
        # Exactly the draws of that seed, without rounding.
        return _draws(sampler, shape, seed.end if seed.share else seed.start, order)
    start, end, share = _draws(sampler, shape, seed.start, order), _draws(sampler, shape, seed.end, order), seed.share
    join = spherical if sampler is torch.randn else _around
    return lambda: join(start(), end(), share)


def _around(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Return the interpolation between numbers in [0, 1) on the shorter arc of a circle, on which 0 and 1 coincide."""
    # The inner term is the signed distance in [-0.5, 0.5).
    return (start + share * ((end - start + 0.5) % 1 - 0.5)) % 1


def _generator(seed: int, order: int) -> torch.Generator:
    """Return a source of random numbers for the draw number ``order`` of a seed."""
    # On the CPU, so that a seed means the same clip on every device.
    state = np.random.SeedSequence([seed, order]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))
