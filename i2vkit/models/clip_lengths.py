"""Masks and picks for clips that were padded to a common length."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClipLengths:
    """The numbers of frames that a part can make: ``shortest``, and ``step`` more as often as you like.

    >>> str(ClipLengths(32, 16)), 40 in ClipLengths(32, 16), ClipLengths(32, 16).at_least(40)
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
    """The mask of the true frames of clips of ``length`` frames, bool (B, T).

    >>> frame_mask(torch.tensor([1, 3]), 2, 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    if num_frames is None:
        return torch.ones(batch, length, dtype=torch.bool, device=device)
    return torch.arange(length, device=num_frames.device) < num_frames[:, None]


def true_frames(num_frames: Tensor | None, length: int) -> Tensor | None:
    """``frame_mask``, but None, for "all", where no clip is padded: what needs no mask is to cost none.

    >>> true_frames(None, 3) is None, true_frames(torch.tensor([1, 3]), 3).int().tolist()
    (True, [[1, 0, 0], [1, 1, 1]])
    """
    if num_frames is None:
        return None
    return frame_mask(num_frames, len(num_frames), length)


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of ``values`` (B, T, ...) over the frames in ``mask`` (B, T), over all where it is None; 0 over none.

    No indexing by a mask: the host would have to wait for a GPU, to learn how many values there are.

    >>> masked_mean(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, True]])).item()
    3.0
    """
    if mask is None:
        return values.mean() if values.numel() else values.sum()
    # All frames have as many values, so the mean over each comes first.
    frames = values.mean(dim=tuple(range(2, values.dim()))) if values.dim() > 2 else values
    return torch.where(mask, frames, 0).sum() / mask.sum().clamp(min=1)


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
