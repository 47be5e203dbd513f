"""Silhouettes of people in front of a static background."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_fill_holes, label

from i2vkit.conditions.interfaces import ConditionGenerator
from i2vkit.errors import DataError
from i2vkit.registry import CONDITION_GENERATORS

# The least number of pixels of a connected part; smaller parts are noise.
_SPECK = 6
# The largest hole that is filled, as a share of the picture's pixels.
_PINHOLE = 0.003


@CONDITION_GENERATORS.register_module()
class Silhouettes(ConditionGenerator):
    """A generator of one map for each frame, 255 inside the person, from frames with a static background.

    The person is the part that differs from the background. A connected part counts if all of it differs by ``faint``
    and some of it by ``clear``, and if it is no speck. The largest part is kept, with parts within a few pixels of it,
    which shadows or belts have cut off. Small holes are filled.

    Args:
        faint: The least difference within a part, of a channel's values 0 to 255.
        clear: The difference that some pixel of a part must reach.

    Raises:
        DataError: Frames or background have other shapes or types.
    """

    channels = 1

    def __init__(self, faint: float = 22.0, clear: float = 45.0):
        self.faint = faint
        self.clear = clear

    def __call__(self, frames: np.ndarray, background: np.ndarray | None = None) -> np.ndarray:
        """Draw maps uint8 (T, 1, H, W) of frames uint8 (T, H, W, 3).

        Args:
            frames: The frames of a clip.
            background: The scene without the person, (H, W, 3), 0 to 255. Unknown pixels are NaN and are interpolated
                along their row. By default it is the median over time, which hides people who hardly move.
        """
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
            raise DataError(f"silhouettes need frames uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}")
        background = np.median(frames, axis=0) if background is None else along_rows(background)
        if background.shape != frames.shape[1:]:
            raise DataError(f"a background {background.shape} does not fit frames {frames.shape}")
        differs = np.abs(frames - background).max(axis=3)
        masks = [self._mask(frame) for frame in differs]
        return np.where(np.stack(masks), np.uint8(255), np.uint8(0))[:, None]  # (T, H, W) -> (T, 1, H, W)

    def _mask(self, differs: np.ndarray) -> np.ndarray:
        """Return the silhouette of one frame, bool (H, W), from its differences."""
        parts, count = label(differs > self.faint, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        clear = np.bincount(parts[differs > self.clear], minlength=count + 1) > 0
        kept = clear & (sizes >= _SPECK)
        kept[0] = False  # number 0 is the background
        return _without_pinholes(_around_the_largest(kept[parts]))


def _without_pinholes(mask: np.ndarray) -> np.ndarray:
    """Fill small holes. Arms that meet above the head enclose a large one, which stays."""
    holes, count = label(binary_fill_holes(mask) & ~mask)
    sizes = np.bincount(holes.ravel(), minlength=count + 1)
    small = np.flatnonzero(sizes <= _PINHOLE * mask.size)
    return mask | (np.isin(holes, small) & (holes > 0))


def _around_the_largest(mask: np.ndarray, reach: int = 2) -> np.ndarray:
    """Return the parts that join the largest one when all parts grow by ``reach`` pixels."""
    parts, count = label(binary_dilation(mask, iterations=reach))
    if count < 2:
        return mask
    sizes = np.bincount(parts[mask], minlength=count + 1)
    return mask & (parts == 1 + sizes[1:].argmax())


def along_rows(picture: np.ndarray) -> np.ndarray:
    """Fill the unknown pixels (NaN) of a picture (H, W, C) by interpolation along their row.

    A row without known pixels gets the median of the picture's known pixels.

    >>> along_rows(np.array([[[1.0], [np.nan], [3.0]], [[np.nan], [np.nan], [np.nan]]]))[..., 0].tolist()
    [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]
    """
    filled = picture.astype(np.float64)
    known = np.isfinite(picture).all(axis=2)
    places = np.arange(picture.shape[1])
    for row, known_here in zip(filled, known, strict=True):
        for channel in range(picture.shape[2]):
            if known_here.any():
                row[:, channel] = np.interp(places, places[known_here], row[known_here, channel])
            else:
                row[:, channel] = np.median(picture[known][:, channel]) if known.any() else 0
    return filled
