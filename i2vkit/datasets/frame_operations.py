"""The changes that transforms make to frames: done at once to an array, or written down for frames on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mmcv
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """Keeps the window that begins at ``top`` and ``left``, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Crop frames (T, H, W, 3); the result is a view."""
        return frames[:, self.top : self.top + self.height, self.left : self.left + self.width]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Tell the size of frames that were of another before."""
        return self.height, self.width


@dataclass(frozen=True)
class Scale:
    """Scales to ``height`` and ``width``: averages over areas to shrink both, else interpolates linearly."""

    height: int
    width: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Scale frames (T, H, W, 3); those of that size stay as they are, bit by bit."""
        height, width = frames.shape[1:3]
        if (height, width) == (self.height, self.width):
            return frames
        way = "area" if self.height <= height and self.width <= width else "bilinear"
        return np.stack([mmcv.imresize(frame, (self.width, self.height), interpolation=way) for frame in frames])

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Tell the size of frames that were of another before."""
        return self.height, self.width


@dataclass(frozen=True)
class Mirror:
    """Exchanges left and right."""

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Mirror frames (T, H, W, 3); the result is a view."""
        return np.flip(frames, axis=2)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Tell the size of frames that were of another before."""
        return height, width


@dataclass(frozen=True)
class Recolor:
    """Multiplies brightness, contrast and saturation by these factors, in this order."""

    brightness: float
    contrast: float
    saturation: float

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Colour frames (T, H, W, 3) anew."""
        # A copy: torch takes no mirrored arrays, nor those of the cache, which cannot be written to.
        channels_first = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2)
        factors = torch.tensor([[self.brightness, self.contrast, self.saturation]], dtype=torch.float64)
        return recolor(channels_first[None], factors)[0].permute(0, 2, 3, 1).numpy()

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Tell the size of frames that were of another before."""
        return height, width


Operation = Crop | Scale | Mirror | Recolor


def recolor(frames: Tensor, factors: Tensor) -> Tensor:
    """Multiply brightness, contrast and saturation of clips as torchvision does, each clip by its own factors.

    Values are cut off at 0 and 255 and rounded down after each of the three, as 8-bit pictures are there.

    Args:
        frames: uint8 (B, T, 3, H, W).
        factors: Of brightness, contrast and saturation, (B, 3).
    """

    def grey(video: Tensor) -> Tensor:
        red, green, blue = video.split(1, dim=2)
        return (red * 0.2989 + green * 0.587 + blue * 0.114).floor()

    # (B,) to (B, 1, 1, 1, 1), beside frames; what is left of 1 is the share of what is mixed in.
    brightness, contrast, saturation = factors.float()[..., None, None, None, None].unbind(1)
    _, other_contrast, other_saturation = (1 - factors).float()[..., None, None, None, None].unbind(1)
    video = (frames * brightness).clamp(0, 255).floor()
    mean = grey(video).mean(dim=(2, 3, 4), keepdim=True)
    video = (video * contrast + mean * other_contrast).clamp(0, 255).floor()
    return (video * saturation + grey(video) * other_saturation).clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class FrameLocation:
    """Where the frames of a clip lie: rows ``start`` and following of the table ``table`` (its token).

    ``size`` is theirs (height, width), ``raw_size`` that of the clip's frames before the operations ``done``.
    """

    table: str
    start: int
    length: int
    channels: int
    size: tuple[int, int]
    raw_size: tuple[int, int]
    done: tuple[Operation, ...] = ()


@dataclass(frozen=True)
class DeferredFrames:
    """Frames of a clip that lie on the device: which ones they are and what is to be done with them, no pixels.

    Transforms meet them in the place of an array (T, H, W, 3) and change them by ``change``. ``image`` says that one
    picture is meant, without an axis of time.
    """

    place: FrameLocation
    indices: np.ndarray
    size: tuple[int, int]
    operations: tuple[Operation, ...] = ()
    image: bool = False

    @classmethod
    def whole(cls, place: FrameLocation) -> DeferredFrames:
        """All frames of a clip, as they are read from the disk."""
        return cls(place, np.arange(place.length), place.raw_size)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What an array of the frames would have: T, H, W, C."""
        return (len(self.indices), *self.size, self.place.channels)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, indices: np.ndarray) -> DeferredFrames:
        """Choose frames by their places (T,)."""
        return replace(self, indices=self.indices[indices])

    def first(self) -> DeferredFrames:
        """The first frame, as an image."""
        return replace(self, indices=self.indices[:1], image=True)

    def then(self, operation: Operation) -> DeferredFrames:
        """The same frames, changed once more."""
        return replace(self, operations=(*self.operations, operation), size=operation.size(*self.size))


def change(frames: np.ndarray | DeferredFrames, operation: Operation) -> np.ndarray | DeferredFrames:
    """Do ``operation`` with frames: now where they are an array, later where they lie on the device."""
    return frames.then(operation) if isinstance(frames, DeferredFrames) else operation(frames)
