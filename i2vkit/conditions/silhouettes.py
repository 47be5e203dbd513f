"""Silhouettes of people before a background that stands still."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_fill_holes, label

from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.errors import DataError
from i2vkit.registry import CONDITION_GENERATORS

# Smaller parts are noise.
_SPECK = 6
# Of a picture's pixels: a smaller hole in somebody is none.
_PINHOLE = 0.003


@CONDITION_GENERATORS.register_module()
class Silhouettes(ConditionGenerator):
    """One map a frame, 255 inside the person, from frames whose background does not move.

    The person is what differs from the background: connected parts that differ by ``faint`` and somewhere by ``clear``
    of a channel's 256 values, less specks, holes filled. Of those the largest is kept and, if they lie within a few
    pixels of it, what shadows and belts have cut off.

    Raises:
        DataError: Other shapes or types of frames and background.
    """

    channels = 1

    def __init__(self, faint: float = 22.0, clear: float = 45.0):
        self.faint = faint
        self.clear = clear

    def __call__(self, frames: np.ndarray, background: np.ndarray | None = None) -> np.ndarray:
        """Draw maps uint8 (T, 1, H, W) of frames uint8 (T, H, W, 3).

        ``background`` (H, W, 3), 0 to 255, is the scene without the person, NaN where that is not known: interpolated
        along the row then. By default it is the median over time, in which somebody who hardly moves is hidden.
        """
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
            raise DataError(f"silhouettes are taken of frames uint8 (T, H, W, 3), not {frames.dtype} {frames.shape}")
        background = np.median(frames, axis=0) if background is None else along_rows(background)
        if background.shape != frames.shape[1:]:
            raise DataError(f"a background {background.shape} does not fit frames {frames.shape}")
        differs = np.abs(frames - background).max(axis=3)
        masks = [self._mask(frame) for frame in differs]
        return np.where(np.stack(masks), np.uint8(255), np.uint8(0))[:, None]

    def _mask(self, differs: np.ndarray) -> np.ndarray:
        """One frame's silhouette, bool (H, W)."""
        parts, count = label(differs > self.faint, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        clear = np.bincount(parts[differs > self.clear], minlength=count + 1) > 0
        kept = clear & (sizes >= _SPECK)
        kept[0] = False
        return _without_pinholes(_around_the_largest(kept[parts]))


def _without_pinholes(mask: np.ndarray) -> np.ndarray:
    """Fill in the small holes; arms that meet above the head enclose a large one, which stays."""
    holes, count = label(binary_fill_holes(mask) & ~mask)
    sizes = np.bincount(holes.ravel(), minlength=count + 1)
    small = np.flatnonzero(sizes <= _PINHOLE * mask.size)
    return mask | (np.isin(holes, small) & (holes > 0))


def _around_the_largest(mask: np.ndarray, reach: int = 2) -> np.ndarray:
    """The parts that are joined to the largest when all grow by ``reach`` pixels."""
    parts, count = label(binary_dilation(mask, iterations=reach))
    if count < 2:
        return mask
    sizes = np.bincount(parts[mask], minlength=count + 1)
    return mask & (parts == 1 + sizes[1:].argmax())


def along_rows(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, C) whose unknown pixels (NaN) are interpolated from those known in the row; else their median.

    >>> along_rows(np.array([[[1.0], [np.nan], [3.0]], [[np.nan], [np.nan], [np.nan]]]))[..., 0].tolist()
    [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]
    """
    filled = picture.astype(np.float64)
    known = np.isfinite(picture).all(axis=2)
    places = np.arange(picture.shape[1])
    for row, here in zip(filled, known, strict=True):
        for channel in range(picture.shape[2]):
            if here.any():
                row[:, channel] = np.interp(places, places[here], row[here, channel])
            else:
                row[:, channel] = np.median(picture[known][:, channel]) if known.any() else 0
    return filled
