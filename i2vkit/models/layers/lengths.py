"""Masks and picks for clips that were padded to a common length."""

import torch
from torch import Tensor


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


def at_last_frame(steps: Tensor, num_frames: Tensor | None) -> Tensor:
    """The step (B, D) of ``steps`` (B, T, D) at the last true frame of every clip."""
    if num_frames is None:
        return steps[:, -1]
    return steps[torch.arange(len(steps), device=steps.device), num_frames - 1]
