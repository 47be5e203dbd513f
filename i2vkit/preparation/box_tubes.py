"""Cropping of people along their boxes: a square that follows the person smoothly and always holds the whole box."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import convolve1d, maximum_filter1d

from i2vkit.datasets.point_files import fill_gaps, points_of
from i2vkit.errors import DataError
from i2vkit.preparation.pipeline import RawClip


def box_tube(boxes: np.ndarray, margin: float, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres (T, 2) and sides (T,) of squares that follow boxes (T, 4), x0, y0, x1, y1.

    A centre is the weighted mean over the `reach` frames before and after, in which farther frames weigh less. A side
    is the same mean of the largest side needed within `reach` frames. Hence a box always stays inside its square, and a
    box that opens and closes, as in jumping jacks, does not make the picture pulsate.

    Args:
        boxes: (T, 4), in pixels.
        margin: The share that is added to the side.
        reach: The number of frames before and after.

    >>> centres, sides = box_tube(np.array([[0.0, 0.0, 10.0, 20.0]] * 3), margin=0.5, reach=1)
    >>> centres[1].tolist(), sides[1].item()
    ([5.0, 10.0], 30.0)
    """
    # Without its two zeros at the ends, the window has 2 * reach + 1 weights.
    weights = np.hanning(2 * reach + 3)[1:-1]
    weights /= weights.sum()
    corners = boxes.reshape(-1, 2, 2)  # (T, 4) -> (T, corner, x and y)
    centres = convolve1d(corners.mean(axis=1), weights, axis=0, mode="nearest")
    # Twice the distance from the centre to the farthest edge of the box, (T,).
    needed = 2 * np.abs(corners - centres[:, None]).max(axis=(1, 2))
    largest = maximum_filter1d(needed, 2 * reach + 1, mode="nearest")
    return centres, (1 + margin) * convolve1d(largest, weights, mode="nearest")


def square_map(centre: np.ndarray, side: float, size: int) -> np.ndarray:
    """Return the affine map (2, 3) from a square, given by the edges of pixels, to a picture with `size` pixels a side.

    It maps points in pixels whose centres are whole numbers, in both pictures.

    >>> square_map(np.array([32.0, 20.0]), 16.0, 64) @ [31.5, 19.5, 1.0]
    array([31.5, 31.5])
    """
    scale = size / side
    shift = scale * (0.5 - centre) + size / 2 - 0.5
    return np.hstack([scale * np.eye(2), shift[:, None]])


@dataclass(frozen=True)
class TubeCrop:
    """A framing that follows a person along the clip's boxes. Up to five frames in a row may lack a box.

    Args:
        size: The side of the prepared frames in pixels.
        margin: The share by which the square is larger than the box.
        reach: The number of frames before and after over which the square is smoothed, see `box_tube`.
    """

    size: int
    margin: float = 0.2
    reach: int = 15

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the transforms (T, 2, 3). Raise ``DataError`` if there are no boxes."""
        boxes = points_of(clip.record, "boxes")
        if boxes is None:
            raise DataError("no boxes of the person")
        # A box is two points for ``fill_gaps``: (T, 4) -> (T, 2, 2).
        filled, _ = fill_gaps(boxes.reshape(-1, 2, 2), "box of the person")
        centres, sides = box_tube(filled.reshape(-1, 4), self.margin, self.reach)
        return np.stack([square_map(*square, self.size) for square in zip(centres, sides, strict=True)])
