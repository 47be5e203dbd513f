"""What a batch of clips carries from chunk to chunk while it is generated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2vkit.errors import ConfigError


@dataclass(frozen=True)
class SeedInterpolation:
    """In place of a seed: a share of the way, in [0, 1], from the draws of ``start`` to those of ``end``.

    Normal draws turn on the sphere, so that each has the length that draws of N(0, I) have (a straight line would pass
    near the mean); uniform ones go round the circle and stay uniform. At 0 and 1 they are the draws of the two seeds.
    """

    start: int
    end: int
    share: float


def spherical(start: Tensor, end: Tensor, share: float) -> Tensor:
    """The point at a share of the way from ``start`` to ``end`` along the great circle, as one vector of all values.

    Between lengths that differ the length changes evenly in angle; parallel vectors are joined by a line.

    Examples:
        >>> import torch
        >>> from i2vkit.models.generation_state import spherical
        >>> halfway = spherical(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
        >>> [round(value, 4) for value in halfway.tolist()]  # sqrt(2) each: the length stays 2
        [1.4142, 1.4142]
    """
    lengths = start.norm() * end.norm()
    cosine = (start * end).sum() / lengths if lengths > 0 else start.new_ones(())
    angle = torch.arccos(cosine.clamp(-1, 1))
    sine = torch.sin(angle)
    if sine < 1e-4:
        return torch.lerp(start, end, share)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / sine


class GenerationState:
    """The random draws and recurrent states of a batch of clips in the making.

    A part asks for its draws here instead of from torch: each is made once for a clip and stays the same over all its
    chunks, so that a clip made in chunks equals the clip made at once. With ``seeds``, one a clip, a clip's draws
    depend on its own seed alone, not on the rest of the batch; without, they come from torch's global generator
    (training). ``SeedInterpolation`` in place of a seed gives draws between those of two seeds.

    A state that knows its batch, from ``like`` (B, ...), a tensor of it, or by ``set_batch``, makes draws for parts
    without any other input; the generator sees to that.
    """

    def __init__(self, seeds: Sequence[int | SeedInterpolation] | None = None, like: Tensor | None = None):
        self.seeds = seeds
        self.recurrent: dict[nn.Module, Any] = {}
        self._batch = None if like is None else (len(like), like.device)
        self._draws: dict[tuple[nn.Module, str], Tensor] = {}
        self._sources: dict[tuple[nn.Module, str], list[Callable[[], Tensor]]] = {}

    def set_batch(self, like: Tensor) -> None:
        """Say which batch this state serves: ``like`` (B, ...) gives number of clips and device."""
        self._batch = len(like), like.device

    def normal(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """Standard normal numbers (B, *shape) for ``part``.

        ``like`` (B, ...) gives number of clips and device; by default those of the batch that the state serves.

        Raises:
            ConfigError: without ``like``, if the state was not told of a batch.
        """
        return self._draw(part, name, shape, like, torch.randn)

    def uniform(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor | None = None) -> Tensor:
        """Numbers (B, *shape) uniform in [0, 1) for ``part``; the rest as for ``normal``."""
        return self._draw(part, name, shape, like, torch.rand)

    def normal_per_frame(
        self, part: nn.Module, name: str, length: int, shape: tuple[int, ...], like: Tensor | None = None
    ) -> Tensor:
        """Standard normal numbers (B, T, *shape), new ones for each of ``length`` steps; the next chunk's follow on.

        The rest is as for ``normal``.
        """
        batch, device = self._batch_of(like)
        if self.seeds is None:
            return torch.randn(batch, length, *shape, device=device)
        key = (part, name)
        if key not in self._sources:
            order = self._order()
            self._sources[key] = [_draws(torch.randn, shape, seed, order) for seed in self.seeds]
        # Step by step: the numbers of one large draw are not those of two smaller ones.
        rows = [torch.stack([draw() for _ in range(length)]) for draw in self._sources[key]]
        return torch.stack(rows).to(device)

    @property
    def used_rng(self) -> bool:
        """Whether any random number was asked for."""
        return bool(self._sources) or any(draws.numel() for draws in self._draws.values())

    def _order(self) -> int:
        """How many draws there were before: each has random numbers of its own."""
        return len(self._draws) + len(self._sources)

    def _batch_of(self, like: Tensor | None) -> tuple[int, torch.device]:
        """Number of clips and device of a draw."""
        if like is not None:
            return len(like), like.device
        if self._batch is None:
            raise ConfigError(
                "a part draws noise from a generation state that serves no batch yet: call state.set_batch(tensor), as "
                "the generator does before its parts run, or give the draw like=tensor"
            )
        return self._batch

    def _draw(self, part, name, shape, like, sampler) -> Tensor:
        key = (part, name)
        if key not in self._draws:
            batch, device = self._batch_of(like)
            if self.seeds is None:
                self._draws[key] = sampler(batch, *shape, device=device)
            else:
                self._draws[key] = _draw_once(sampler, shape, self.seeds, self._order()).to(device)
        return self._draws[key]


@torch.compiler.disable(reason="a compiled graph cannot seed a generator of its own")
def _draw_once(
    sampler: Callable, shape: tuple[int, ...], seeds: Sequence[int | SeedInterpolation], order: int
) -> Tensor:
    """Return the first draws (B, *shape) of all seeds."""
    return torch.stack([_draws(sampler, shape, seed, order)() for seed in seeds])


def _draws(
    sampler: Callable, shape: tuple[int, ...], seed: int | SeedInterpolation, order: int
) -> Callable[[], Tensor]:
    """A function whose calls give one draw after the other, by a seed or between two."""
    if not isinstance(seed, SeedInterpolation):
        source = _generator(seed, order)
        return lambda: sampler(*shape, generator=source, device="cpu")
    if seed.share in (0, 1):
        return _draws(sampler, shape, seed.end if seed.share else seed.start, order)
    start, end = (_draws(sampler, shape, own, order) for own in (seed.start, seed.end))
    join = spherical if sampler is torch.randn else _around
    return lambda: join(start(), end(), seed.share)


def _around(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Numbers in [0, 1), the ends of which meet: a share of the shorter way from ``start`` to ``end``."""
    return (start + share * ((end - start + 0.5) % 1 - 0.5)) % 1


def _generator(seed: int, order: int) -> torch.Generator:
    # Drawn on the CPU, so that a seed means the same clip on every device.
    state = np.random.SeedSequence([seed, order]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))
