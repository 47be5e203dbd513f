"""Clip lengths, and masks for clips that were padded to a common length."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClipLengths:
    """The numbers of frames that a part can make: ``shortest`` plus any multiple of ``step``.

    Args:
        shortest: Smallest number of frames. 1 by default.
        step: Distance between two numbers. 1 by default.

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
        """Return the smallest possible number of frames that is ``length`` or more."""
        # -(-a // b) is a / b, rounded up.
        return self.shortest + max(0, -(-(length - self.shortest) // self.step)) * self.step


def frame_mask(num_frames: Tensor | None, batch: int, length: int, device: torch.device | str = "cpu") -> Tensor:
    """Return the mask of the true frames of clips, bool (B, T).

    Args:
        num_frames: True lengths (B,), or None if all frames are true.
        batch: Number of clips B.
        length: Number of frames T, padding included.
        device: Device of the mask if ``num_frames`` is None.

    >>> frame_mask(torch.tensor([1, 3]), 2, 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    if num_frames is None:
        return torch.ones(batch, length, dtype=torch.bool, device=device)
    return torch.arange(length, device=num_frames.device) < num_frames[:, None]  # (T,) < (B, 1) -> (B, T)


def true_frames(num_frames: Tensor | None, length: int) -> Tensor | None:
    """Return the mask (B, T) of the true frames, or None if no clip is padded.

    With None the caller can leave out all computation with masks.

    >>> true_frames(None, 3) is None, true_frames(torch.tensor([1, 3]), 3).int().tolist()
    (True, [[1, 0, 0], [1, 1, 1]])
    """
    if num_frames is None:
        return None
    return frame_mask(num_frames, len(num_frames), length)  # on the device of ``num_frames``


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean of ``values`` over the frames in ``mask``.

    Args:
        values: Values (B, T, ...).
        mask: Frames to average, bool (B, T). None for all frames.

    Returns:
        A scalar. It is 0 if there is no frame to average.

    >>> masked_mean(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, True]])).item()
    3.0
    """
    if mask is None:
        return values.mean() if values.numel() else values.sum()  # the sum over nothing is 0, the mean NaN
    # All frames have the same number of values, so the mean of each frame comes first: (B, T, ...) -> (B, T).
    frames = values.mean(dim=tuple(range(2, values.dim()))) if values.dim() > 2 else values
    # Without indexing by the mask, for which the host would have to wait until a GPU has counted the frames.
    return torch.where(mask, frames, 0).sum() / mask.sum().clamp(min=1)


def draw_frames(num_frames: Tensor | None, number: int, noise: Tensor) -> Tensor:
    """Return the indices of the first frame of every clip and of ``number`` other true frames, in ascending order.

    A clip with fewer true frames gives all of them, and then frames of its padding.

    Args:
        num_frames: True lengths (B,), or None if all frames are true.
        number: Number of frames beside the first.
        noise: Random numbers (B, T) in [0, 1). The frames with the smallest numbers are taken.

    Returns:
        Indices (B, min(number + 1, T)).

    Examples:
        >>> draw_frames(torch.tensor([4, 3]), 2, torch.tensor([[0.9, 0.5, 0.8, 0.1], [0.9, 0.5, 0.8, 0.1]])).tolist()
        [[0, 1, 3], [0, 1, 2]]
    """
    batch, length = noise.shape
    # (T,), broadcast to (B, T) below
    first = torch.arange(length, device=noise.device) == 0
    padding = ~frame_mask(num_frames, batch, length, noise.device)
    # -1 puts the first frame before all others, and numbers of 1 or more put padding behind them.
    order = torch.where(padding, 1 + noise, torch.where(first, -1.0, noise)).argsort(dim=1)
    return order[:, : number + 1].sort(dim=1).values  # (B, T) -> (B, number + 1)


def at_last_frame(steps: Tensor, num_frames: Tensor | None) -> Tensor:
    """Return the step (B, D) of ``steps`` (B, T, D) at the last true frame of every clip."""
    if num_frames is None:
        return steps[:, -1]
    return steps[torch.arange(len(steps), device=steps.device), num_frames - 1]  # one index for each clip
