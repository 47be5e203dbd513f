"""What a batch of clips carries from chunk to chunk while it is generated."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Stream:
    """The random draws and recurrent states of a batch of clips in the making.

    A part asks for its draws here instead of from torch: each is made once for a clip and stays the same over all its
    chunks, so that a clip made in chunks equals the clip made at once. With ``seeds``, one a clip, a clip's draws
    depend on its own seed alone, not on the rest of the batch; without, they come from torch's global generator
    (training).
    """

    def __init__(self, seeds: Sequence[int] | None = None):
        self.seeds = seeds
        self.states: dict[nn.Module, Any] = {}
        self._draws: dict[tuple[nn.Module, str], Tensor] = {}
        self._sources: dict[tuple[nn.Module, str], list[torch.Generator]] = {}

    def normal(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Standard normal numbers (B, *shape) for ``part``; ``like`` (B, ...) gives batch size and device."""
        return self._draw(part, name, shape, like, torch.randn)

    def uniform(self, part: nn.Module, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Numbers (B, *shape) uniform in [0, 1) for ``part``."""
        return self._draw(part, name, shape, like, torch.rand)

    def normal_steps(self, part: nn.Module, name: str, length: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Standard normal numbers (B, T, *shape), new ones for each of ``length`` steps; the next chunk's follow on."""
        if self.seeds is None:
            return torch.randn(len(like), length, *shape, device=like.device)
        key = (part, name)
        if key not in self._sources:
            order = self._order()
            self._sources[key] = [_generator(seed, order) for seed in self.seeds]
        # Step by step: the numbers of one large draw are not those of two smaller ones.
        rows = [
            torch.stack([torch.randn(*shape, generator=source, device="cpu") for _ in range(length)])
            for source in self._sources[key]
        ]
        return torch.stack(rows).to(like.device)

    @property
    def drew(self) -> bool:
        """Whether any random number was asked for."""
        return bool(self._sources) or any(draws.numel() for draws in self._draws.values())

    def _order(self) -> int:
        """How many draws there were before: each has random numbers of its own."""
        return len(self._draws) + len(self._sources)

    def _draw(self, part, name, shape, like, sampler) -> Tensor:
        key = (part, name)
        if key not in self._draws:
            if self.seeds is None:
                self._draws[key] = sampler(len(like), *shape, device=like.device)
            else:
                order = self._order()
                rows = [sampler(*shape, generator=_generator(seed, order), device="cpu") for seed in self.seeds]
                self._draws[key] = torch.stack(rows).to(like.device)
        return self._draws[key]


def _generator(seed: int, order: int) -> torch.Generator:
    # Drawn on the CPU, so that a seed means the same clip on every device.
    state = np.random.SeedSequence([seed, order]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))
