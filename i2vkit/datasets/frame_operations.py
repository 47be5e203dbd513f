"""The changes that transforms make to frames: applied to an array at once, or recorded for frames on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mmcv
import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """A crop to the window that begins at ``top`` and ``left``, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Crop frames (T, H, W, 3). The result is a view."""
        return frames[:, self.top : self.top + self.height, self.left : self.left + self.width]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size (height, width) of frames after the crop."""
        return self.height, self.width


@dataclass(frozen=True)
class Scale:
    """A scaling to ``height`` and ``width``.

    It averages over areas if both sides shrink, and otherwise interpolates linearly.
    """

    height: int
    width: int

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Scale frames (T, H, W, 3). Frames of that size already stay as they are, bit by bit."""
        height, width = frames.shape[1:3]
        if (height, width) == (self.height, self.width):
            return frames
        way = "area" if self.height <= height and self.width <= width else "bilinear"
        return np.stack([mmcv.imresize(frame, (self.width, self.height), interpolation=way) for frame in frames])

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size (height, width) of frames after scaling."""
        return self.height, self.width


@dataclass(frozen=True)
class Mirror:
    """An exchange of left and right."""

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Mirror frames (T, H, W, 3). The result is a view."""
        return np.flip(frames, axis=2)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size (height, width) of frames, which mirroring keeps."""
        return height, width


@dataclass(frozen=True)
class Recolor:
    """A multiplication of brightness, contrast and saturation by these factors, in this order."""

    brightness: float
    contrast: float
    saturation: float

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Change the colours of frames (T, H, W, 3)."""
        # Copied, because torch takes neither mirrored arrays nor the read-only ones of the file cache.
        # (T, H, W, 3) -> (T, 3, H, W)
        channels_first = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2)
        factors = torch.tensor([[self.brightness, self.contrast, self.saturation]], dtype=torch.float64)
        # (T, 3, H, W) -> (1, T, 3, H, W), and back to (T, H, W, 3)
        return recolor(channels_first[None], factors)[0].permute(0, 2, 3, 1).numpy()

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size (height, width) of frames, which colours do not change."""
        return height, width


Operation = Crop | Scale | Mirror | Recolor


def recolor(frames: Tensor, factors: Tensor) -> Tensor:
    """Multiply brightness, contrast and saturation of clips as torchvision does, each clip by its own factors.

    Values are clipped to 0 and 255 and rounded down after each of the three, as torchvision does with 8-bit pictures.

    Args:
        frames: uint8 (B, T, 3, H, W).
        factors: Factors of brightness, contrast and saturation, (B, 3).
    """

    def grey(video: Tensor) -> Tensor:
        red, green, blue = video.split(1, dim=2)
        return (red * 0.2989 + green * 0.587 + blue * 0.114).floor()

    # (B, 3) -> three of (B, 1, 1, 1, 1), to broadcast against frames. The rest to 1 is the share of the mixed-in grey.
    brightness, contrast, saturation = factors.float()[..., None, None, None, None].unbind(1)
    _, other_contrast, other_saturation = (1 - factors).float()[..., None, None, None, None].unbind(1)
    video = (frames * brightness).clamp(0, 255).floor()
    mean = grey(video).mean(dim=(2, 3, 4), keepdim=True)
    video = (video * contrast + mean * other_contrast).clamp(0, 255).floor()
    return (video * saturation + grey(video) * other_saturation).clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class FrameLocation:
    """The place of a clip's frames: rows from ``start`` on of the table with the token ``table``.

    ``size`` (height, width) is that of the stored frames. ``raw_size`` is that of the clip's frames before the
    operations ``done``.
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
    """Frames of a clip on the device: their numbers and the operations to apply, without pixels.

    Transforms get them in place of an array (T, H, W, 3) and change them by ``change``. ``image`` says that one picture
    is meant, without a time axis.
    """

    place: FrameLocation
    indices: np.ndarray
    size: tuple[int, int]
    operations: tuple[Operation, ...] = ()
    image: bool = False

    @classmethod
    def whole(cls, place: FrameLocation) -> DeferredFrames:
        """Return all frames of a clip, as they are read from the disk."""
        return cls(place, np.arange(place.length), place.raw_size)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape that an array of the frames would have: T, H, W, C."""
        return (len(self.indices), *self.size, self.place.channels)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, indices: np.ndarray | slice) -> DeferredFrames:
        """Choose frames by their indices (T,)."""
        return replace(self, indices=self.indices[indices])

    def first(self) -> DeferredFrames:
        """Return the first frame as an image."""
        return replace(self, indices=self.indices[:1], image=True)

    def then(self, operation: Operation) -> DeferredFrames:
        """Return the same frames with one more operation."""
        return replace(self, operations=(*self.operations, operation), size=operation.size(*self.size))


def change(frames: np.ndarray | DeferredFrames, operation: Operation) -> np.ndarray | DeferredFrames:
    """Apply ``operation`` to frames: at once to an array, later to frames on the device."""
    return frames.then(operation) if isinstance(frames, DeferredFrames) else operation(frames)
