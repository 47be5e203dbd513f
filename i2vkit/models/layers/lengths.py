"""Masks and picks for clips that were padded to a common length."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Lengths:
    """The numbers of frames that a part can make: ``shortest``, and ``step`` more as often as you like.

    >>> str(Lengths(32, 16)), 40 in Lengths(32, 16), Lengths(32, 16).at_least(40)
    ('32, 48, 64, ...', False, 48)
    """

    shortest: int = 1
    step: int = 1

    def __contains__(self, length: int) -> bool:
        return length >= self.shortest and (length - self.shortest) % self.step == 0

    def __str__(self) -> str:
        return ", ".join(str(self.shortest + i * self.step) for i in range(3)) + ", ..."

    def at_least(self, length: int) -> int:
        """The smallest of them that is not below ``length``."""
        return self.shortest + max(0, -(-(length - self.shortest) // self.step)) * self.step


def frame_mask(num_frames: Tensor | None, batch: int, length: int, device: torch.device | str = "cpu") -> Tensor:
    """Which frames are true ones: bool (B, T).

    >>> frame_mask(torch.tensor([1, 3]), 2, 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    if num_frames is None:
        return torch.ones(batch, length, dtype=torch.bool, device=device)
    return torch.arange(length, device=num_frames.device) < num_frames[:, None]


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of ``values`` (B, T, ...) over true frames only; ``mask`` is (B, T).

    >>> masked_mean(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, True]])).item()
    3.0
    """
    return values[mask].mean()


def draw_frames(num_frames: Tensor | None, number: int, noise: Tensor) -> Tensor:
    """The first frame of every clip and ``number`` of its other true frames, in order of time.

    A clip with fewer frames gives all it has, and then frames of its padding.

    Args:
        num_frames: true lengths (B,), or None where all frames are true ones.
        number: frames beside the first.
        noise: (B, T) in [0, 1), which decides; of two frames that with the smaller number is taken.

    Returns:
        Indices (B, min(number + 1, T)).

    Examples:
        >>> draw_frames(torch.tensor([4, 3]), 2, torch.tensor([[0.9, 0.5, 0.8, 0.1], [0.9, 0.5, 0.8, 0.1]])).tolist()
        [[0, 1, 3], [0, 1, 2]]
    """
    batch, length = noise.shape
    first = torch.arange(length, device=noise.device) == 0
    padding = ~frame_mask(num_frames, batch, length, noise.device)
    order = torch.where(padding, 1 + noise, torch.where(first, -1.0, noise)).argsort(dim=1)
    return order[:, : number + 1].sort(dim=1).values


def at_last_frame(steps: Tensor, num_frames: Tensor | None) -> Tensor:
    """The step (B, D) of ``steps`` (B, T, D) at the last true frame of every clip."""
    if num_frames is None:
        return steps[:, -1]
    return steps[torch.arange(len(steps), device=steps.device), num_frames - 1]
