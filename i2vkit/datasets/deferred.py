"""Batches of frames on the device.

Numbers describe a batch, and the device gathers, crops, scales and colours its frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from os import getpid
from weakref import WeakValueDictionary

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.datasets.frame_operations import Crop, DeferredFrames, Mirror, Recolor, Scale, recolor
from i2vkit.errors import ConfigError

_numbers = count()
# The tables of this process by token. The batch of a worker names a table and does not hold it.
_tables: WeakValueDictionary[str, FrameTable] = WeakValueDictionary()


class FrameTable:
    """A tensor uint8 (N, C, H, W) of the frames, or condition maps, of many clips. It stays in this process."""

    def __init__(self, frames: Tensor) -> None:
        self.frames = frames
        self.token = f"{getpid()}/{next(_numbers)}"
        _tables[self.token] = self


@dataclass(frozen=True)
class _Geometry:
    """A crop to a window (top, left, height, width), then a scaling to ``size`` if that is given, then a mirroring.

    ``whole`` is the size (height, width) of the frames before.
    """

    whole: tuple[int, int]
    window: tuple[int, int, int, int]
    size: tuple[int, int] | None = None
    mirrored: bool = False

    @classmethod
    def nothing(cls, size: tuple[int, int]) -> _Geometry:
        """Return the geometry that leaves frames of ``size`` as they are."""
        return cls(size, (0, 0, *size))

    @property
    def result(self) -> tuple[int, int]:
        return self.size or self.window[2:]

    @property
    def is_nothing(self) -> bool:
        return self.window == (0, 0, *self.whole) and self.result == self.whole and not self.mirrored

    def then(self, operation: Crop | Scale | Mirror) -> list[_Geometry]:
        """Append ``operation``, as one geometry if that rounds no more often than the two one after the other."""
        if isinstance(operation, Mirror):
            return [replace(self, mirrored=not self.mirrored)]
        if self.size is not None:
            return [self, *self.nothing(self.result).then(operation)]
        if not isinstance(operation, Crop):
            return [replace(self, size=(operation.height, operation.width))]
        top, left, _, width = self.window
        shift = width - operation.left - operation.width if self.mirrored else operation.left
        return [replace(self, window=(top + operation.top, left + shift, operation.height, operation.width))]


def _stages(frames: DeferredFrames) -> list[_Geometry | Recolor]:
    """List the stages that remain for frames as they are stored.

    Clips of one pipeline must have the same kinds of stages, and chance decides which are mirrored. Every geometry can
    therefore mirror.
    """
    done = frames.place.done
    if frames.operations[: len(done)] != done:
        raise ConfigError(
            "a transform that declares its frame_changes fixed did not do with a sample what it did when frames were "
            "put onto the device: declare them random"
        )
    stages: list[_Geometry | Recolor] = []
    geometries = [_Geometry.nothing(frames.place.size)]  # since the last change of colour
    for operation in frames.operations[len(done) :]:
        if isinstance(operation, Recolor):
            stages += [*geometries, operation]
            geometries = [_Geometry.nothing(geometries[-1].result)]
        else:
            geometries[-1:] = geometries[-1].then(operation)
    return stages + geometries


class DeferredBatch:
    """One field of a batch whose frames are on the device. ``to`` makes the tensor there.

    Its ``shape`` is that of the tensor: (B, C, T, H, W), or (B, C, H, W) for images. It holds ``rows`` int64 (B, T) of
    a table and the numbers of every stage, so that a worker sends only some kilobytes.
    """

    def __init__(self, clips: Sequence[DeferredFrames]) -> None:
        """Describe ``clips``, and pad shorter ones with their last frame.

        Raises:
            ConfigError: The clips differ in size, or went through different changes.
        """
        first = clips[0]
        if len(sizes := {clip.size for clip in clips}) > 1:
            named = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
            raise ConfigError(f"the frames of a batch differ in size: {named}; give the pipeline a Resize")
        self.token, self.image = first.place.table, first.image
        length = max(map(len, clips))
        padded = [clip.indices[np.minimum(np.arange(length), len(clip) - 1)] + clip.place.start for clip in clips]
        self.rows = torch.from_numpy(np.stack(padded))  # B times (T,) -> (B, T)
        self.stages: list[_Batched] = []
        lists = [_stages(clip) for clip in clips]
        if len({tuple(map(type, stages)) for stages in lists}) > 1:
            raise ConfigError(
                "the clips of a batch went through different changes: a transform that crops, scales or colours at "
                "random must do so with every clip, if by an amount that changes nothing"
            )
        for stages in zip(*lists, strict=True):
            self.stages += _batched(stages)
        shape = (len(clips), first.place.channels, length, *first.size)
        self.shape = shape[:2] + shape[3:] if self.image else shape

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def device(self) -> torch.device:
        """Return the device that holds the frames."""
        return self._table.frames.device

    @property
    def _table(self) -> FrameTable:
        table = _tables.get(self.token)
        if table is None:
            raise ConfigError('the data set with cache="device" that this batch is of is gone, or in another process')
        return table

    def pin_memory(self) -> DeferredBatch:
        """Move the numbers to pinned memory and return the batch. The data loader of torch calls this."""
        self.rows = self.rows.pin_memory()
        self.stages = [replace(stage, numbers=stage.numbers.pin_memory()) for stage in self.stages]
        return self

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Tensor:
        """Gather the frames, apply all stages, and move the result to ``device``.

        The work is done on the device that holds the frames. Most often that is ``device``, and nothing is moved.

        Returns:
            uint8 (B, C, T, H, W), or (B, C, H, W) for images.

        Raises:
            ConfigError: The data set is gone, or it is in another process.
        """
        frames = self._table.frames
        rows = self.rows.to(home := frames.device, non_blocking=non_blocking)
        # (N, C, H, W) -> (B * T, C, H, W) -> (B, T, C, H, W)
        video = rearrange(frames[rows.flatten()], "(b t) c h w -> b t c h w", b=len(rows))
        for stage in self.stages:
            video = stage.apply(video, stage.numbers.to(home, non_blocking=non_blocking))
        # (B, T, C, H, W) -> (B, C, H, W) for images, (B, C, T, H, W) for videos
        video = video[:, 0] if self.image else rearrange(video, "b t c h w -> b c t h w")
        return video.contiguous().to(device, non_blocking=non_blocking)


@dataclass(frozen=True)
class _Batched(ABC):
    """A stage for a whole batch. ``numbers`` (B, N) holds its parameters."""

    numbers: Tensor

    @abstractmethod
    def apply(self, video: Tensor, numbers: Tensor) -> Tensor:
        """Change ``video`` uint8 (B, T, C, H, W). ``numbers`` are on its device."""


class _Recolored(_Batched):
    def apply(self, video: Tensor, numbers: Tensor) -> Tensor:
        return recolor(video, numbers)


class _Mirrored(_Batched):
    def apply(self, video: Tensor, numbers: Tensor) -> Tensor:
        # numbers (B, 1) -> (B, 1, 1, 1, 1), broadcast over (B, T, C, H, W)
        return torch.where(numbers.bool().view(-1, 1, 1, 1, 1), video.flip(-1), video)


@dataclass(frozen=True)
class _Cut(_Batched):
    """Crops whose windows have the size of the result. ``numbers`` are top, left and mirrored."""

    size: tuple[int, int]

    def apply(self, video: Tensor, numbers: Tensor) -> Tensor:
        top, left, mirrored = numbers.unsqueeze(-1).unbind(1)  # (B, 3) -> three of (B, 1)
        height, width = (torch.arange(side, device=video.device) for side in self.size)
        rows, columns = top + height, left + torch.where(mirrored.bool(), width.flip(0), width)
        # Broadcast rows (B, h) and columns (B, w) to (B, T, C, h, W) and (B, T, C, h, w).
        video = video.gather(3, rows[:, None, None, :, None].expand(*video.shape[:3], -1, video.shape[4]))
        return video.gather(4, columns[:, None, None, None, :].expand(*video.shape[:4], -1))


@dataclass(frozen=True)
class _Scaled(_Batched):
    """Crops whose windows are scaled to ``size``. ``numbers`` are top, left, height, width and mirrored."""

    size: tuple[int, int]

    def apply(self, video: Tensor, numbers: Tensor) -> Tensor:
        top, left, height, width, mirrored = numbers.double().unbind(1)
        shrinks = (height >= self.size[0]) & (width >= self.size[1])
        down = _weights(top, height, self.size[0], video.shape[3], shrinks)
        across = _weights(left, width, self.size[1], video.shape[4], shrinks)
        # (B,) -> (B, 1, 1), broadcast over weights (B, outputs, inputs)
        across = torch.where(mirrored.bool().view(-1, 1, 1), across.flip(1), across)
        # (B, T, C, H, W) -> (B, T, C, y, x): one matrix for the rows and one for the columns of each clip.
        scaled = torch.einsum("byh,btchw,bxw->btcyx", down, video.float(), across)
        return scaled.round().clamp(0, 255).to(torch.uint8)


def _weights(start: Tensor, length: Tensor, outputs: int, inputs: int, shrinks: Tensor) -> Tensor:
    """Compute the share of each pixel in each scaled pixel, along one axis, as OpenCV does.

    Args:
        start: First pixel of the window, (B,).
        length: Pixels of the window, (B,).
        outputs: Pixels of the scaled window.
        inputs: Pixels of the whole frame.
        shrinks: Where True, take the mean of the area that a scaled pixel covers. Otherwise interpolate between the two
            nearest centres. (B,).

    Returns:
        Weights (B, outputs, inputs), which sum up to 1.
    """
    step = (length / outputs)[:, None, None]  # (B,) -> (B, 1, 1)
    place = torch.arange(outputs, device=start.device)[:, None]  # (outputs, 1), broadcast against pixel
    pixel = torch.arange(inputs, device=start.device) - start[:, None, None]  # within the window, (B, 1, inputs)
    overlap = torch.minimum((place + 1) * step, pixel + 1) - torch.maximum(place * step, pixel)
    centre = ((place + 0.5) * step - 0.5).clamp(min=0).minimum(length[:, None, None] - 1)
    linear = 1 - (pixel - centre).abs()
    return torch.where(shrinks[:, None, None], overlap / step, linear).clamp(min=0).float()


def _batched(stages: Sequence[_Geometry | Recolor]) -> list[_Batched]:
    """Combine the same stage of all clips into one. Return none if it changes nothing."""
    # All stages are of one kind, which ``DeferredBatch`` has checked.
    if recolors := [stage for stage in stages if isinstance(stage, Recolor)]:
        factors = [(stage.brightness, stage.contrast, stage.saturation) for stage in recolors]
        return [_Recolored(torch.tensor(factors, dtype=torch.float64))]
    geometries = [stage for stage in stages if isinstance(stage, _Geometry)]
    if all(stage.is_nothing for stage in geometries):
        return []
    size, mirrored = geometries[0].result, [stage.mirrored for stage in geometries]
    if all(replace(stage, mirrored=False).is_nothing for stage in geometries):
        return [_Mirrored(torch.tensor(mirrored, dtype=torch.int64)[:, None])]  # (B,) -> (B, 1)
    if all(stage.window[2:] == size for stage in geometries):
        corners = [(*stage.window[:2], stage.mirrored) for stage in geometries]
        return [_Cut(torch.tensor(corners, dtype=torch.int64), size)]
    windows = [(*stage.window, stage.mirrored) for stage in geometries]
    return [_Scaled(torch.tensor(windows, dtype=torch.int64), size)]
