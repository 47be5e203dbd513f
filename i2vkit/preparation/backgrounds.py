"""Estimation of the empty wall behind people who stay in their places, from all clips that show a part of it.

The median over time does not remove people who hardly move. But people stand at different places of the same wall, so
clips cut out around them show different parts of it. Registered to each other, these clips show all of it.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import binary_dilation
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

# A pixel that varies more than this over a clip, of a channel's 256 values, has hidden the wall.
_STILL = 25.0
# Two pictures show the same wall if they have this many pixels in common and correlate by this much.
_OVERLAP = 300
_ALIKE = 0.7
# The part of a square picture that a person covers who never moves, as shares: first row, first and last column.
_MIDDLE = (0.12, 0.28, 0.72)


def median_of_known(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the median over the first axis of the known ``values``, float32 (H, W, 3), NaN where none is known.

    Args:
        values: (N, H, W, 3).
        known: Which values count, bool (N, H, W).

    >>> values = np.array([10, 20, 60]).reshape(3, 1, 1, 1).repeat(3, axis=3)
    >>> median_of_known(values, np.array([True, True, False]).reshape(3, 1, 1)).tolist()
    [[[15.0, 15.0, 15.0]]]
    """
    # Unknown values are sorted to the end, so that the median is at the middle of the first ``count`` values.
    count = known.sum(axis=0)[None, :, :, None]
    ordered = np.sort(np.where(known[..., None], values, np.inf).astype(np.float32), axis=0)
    # An even number of values has two in the middle, whose mean is the median.
    low, high = (np.take_along_axis(ordered, np.maximum(c, 0), axis=0)[0] for c in ((count - 1) // 2, count // 2))
    return np.where(count[0] > 0, (low + high) / 2, np.nan).astype(np.float32)


def first_guess(clip: np.ndarray) -> np.ndarray:
    """Return a first mask of the person in frames (T, H, W, 3), bool (T, H, W): all that moves, and the middle."""
    moved = (np.abs(clip - np.median(clip, axis=0)).max(axis=(0, 3)) > _STILL).astype(bool)
    height, width = clip.shape[1:3]
    top, left, right = (round(share * side) for share, side in zip(_MIDDLE, (height, width, width), strict=True))
    covered = binary_dilation(moved, iterations=2)
    # A person who never moves is not found by motion, but stands in the middle of the crop.
    covered[top:, left:right] = True
    return np.broadcast_to(covered, clip.shape[:3])


class Spectra:
    """The spectra of a picture of a wall (H, W, 3), NaN where it is covered, for comparison with others of its size.

    The pictures are compared by structure, which is brightness minus its local mean, so that light and camera may
    differ.
    """

    def __init__(self, background: np.ndarray):
        known = np.isfinite(background).all(axis=2)
        light = np.where(known, background.mean(axis=2), 0.0)
        # A mean over the known pixels only: the blurred values divided by the blurred mask.
        near = cv2.GaussianBlur(known.astype(float), (0, 0), 5)
        mean = cv2.GaussianBlur(light, (0, 0), 5) / np.maximum(near, 1e-6)
        values = np.where(known, light - mean, 0.0)
        # Padding to twice the size keeps opposite edges apart in the cyclic correlation.
        self.padded = tuple(2 * side for side in known.shape)
        # These three are enough to normalise the correlation by the overlap at every shift.
        terms = (known.astype(float), values, values**2)
        self.known, self.values, self.squares = (rfft2(term, self.padded) for term in terms)

    def correlated(self, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Return the sums of products of two pictures, given by their spectra, for every cyclic shift of the second."""
        return irfft2(mine * theirs.conj(), self.padded)


def register(one: Spectra, other: Spectra) -> tuple[float, tuple[int, int]]:
    """Find the shift at which two pictures correlate best.

    The correlation is normalised over the pixels that are known in both (Padfield, "Masked object registration in the
    Fourier domain", 2012).

    Returns:
        The correlation, -1 if no shift leaves enough pixels in common, and the position (row, column) in ``one`` of the
        first pixel of ``other``.
    """
    pairs = (
        (one.known, other.known),
        (one.values, other.known),
        (one.known, other.values),
        (one.squares, other.known),
        (one.known, other.squares),
        (one.values, other.values),
    )
    # For every shift: the number of common pixels and sums over them of one, other, their squares and their product.
    n, a, b, aa, bb, ab = (one.correlated(mine, theirs) for mine, theirs in pairs)
    enough = n > _OVERLAP - 0.5
    # Avoid divisions by zero; shifts without enough pixels are left out below.
    n = np.maximum(n, 1)
    spread = np.sqrt(np.maximum((aa - a**2 / n) * (bb - b**2 / n), 1e-6))
    alike = np.where(enough, (ab - a * b / n) / spread, -1.0)
    place = np.array(np.unravel_index(alike.argmax(), alike.shape))
    # Shifts beyond half the padded size are negative ones.
    half = np.array(alike.shape) // 2
    row, column = np.where(place < half, place, place - alike.shape)
    return float(alike.max()), (int(row), int(column))


def register_backgrounds(backgrounds: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Group pictures (H, W, 3) by the wall that they show, and place them on it.

    Pictures are chained along the pairs that correlate best.

    Returns:
        The number of the wall of each picture (N,), and the picture's row and column on that wall (N, 2).
    """
    count, spectra = len(backgrounds), [Spectra(background) for background in backgrounds]
    cost, shifts = np.zeros((count, count)), np.zeros((count, count, 2), int)
    for i in range(count):
        for j in range(i):
            alike, shift = register(spectra[i], spectra[j])
            if alike >= _ALIKE:
                cost[i, j] = 1.001 - alike  # above 0, because 0 means no edge in a sparse graph
                shifts[i, j], shifts[j, i] = shift, [-shift[0], -shift[1]]
    # The tree joins all pictures of one wall by the pairs that correlate best.
    tree = minimum_spanning_tree(cost)
    number, background = connected_components(tree, directed=False)
    places = np.zeros((count, 2), int)
    for root in (np.flatnonzero(background == each)[0] for each in range(number)):
        order, parents = breadth_first_order(tree, root, directed=False)
        # Parents come before their children, so their positions are already known.
        for node in order[1:]:
            places[node] = places[parents[node]] + shifts[parents[node], node]
        places[order] -= places[order].min(axis=0)
    return background, places


def complete(backgrounds: Sequence[np.ndarray], background: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """Fill the hidden pixels (NaN) of pictures (H, W, 3) from the others of the same wall, adapted in colour.

    Pixels that no other picture shows stay NaN.

    Args:
        backgrounds: The pictures.
        background: The number of the wall of each, (N,).
        places: The row and column of each on its wall, (N, 2).
    """
    backgrounds, result = [picture.copy() for picture in backgrounds], []
    for i, picture in enumerate(backgrounds):
        others = [
            _seen_from(picture, backgrounds[j], places[j] - places[i])
            for j in np.flatnonzero(background == background[i])
        ]
        stack = np.stack(others)
        # (walls, H, W, 3) -> (H, W, 3)
        filling = median_of_known(stack, np.isfinite(stack).all(axis=3))
        result.append(np.where(np.isfinite(picture), picture, filling))
    return result


def _seen_from(picture: np.ndarray, other: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Move ``other`` into the frame of ``picture`` and adapt its colours by a gain and an offset for each channel."""
    (height, width), (dy, dx) = picture.shape[:2], shift
    moved = np.full_like(picture, np.nan)
    rows, columns = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    # Copy the overlap of the two frames only; the rest of ``moved`` stays unknown.
    moved[rows, columns] = other[max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
    both = np.isfinite(picture).all(axis=2) & np.isfinite(moved).all(axis=2)
    for channel in range(3):
        mine, theirs = picture[both, channel], moved[both, channel]
        gain = mine.std() / max(theirs.std(), 1e-3) if both.any() else 1.0
        moved[..., channel] = (moved[..., channel] - theirs.mean()) * gain + mine.mean() if both.any() else np.nan
    return moved


def estimate_backgrounds(
    clips: Sequence[np.ndarray], find: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> list[np.ndarray]:
    """Estimate the wall behind the person of each clip, float32 (H, W, 3), NaN where no clip shows it.

    The walls are estimated twice: first with a generous guess of the pixels that the person may cover, then with the
    masks that ``find`` returns for these first walls.

    Args:
        clips: Clips uint8 (T, H, W, 3).
        find: A function of a clip and its background that returns masks of the person, bool (T, H, W).
    """
    backgrounds = [median_of_known(clip, ~first_guess(clip)) for clip in clips]
    backgrounds = complete(backgrounds, *register_backgrounds(backgrounds))
    # Masks grow in space but not in time, so that the soft edges of the person do not count as wall.
    near = np.ones((1, 3, 3), bool)
    covered = [
        binary_dilation(find(clip, background), near, iterations=3)
        for clip, background in zip(clips, backgrounds, strict=True)
    ]
    backgrounds = [median_of_known(clip, ~masks) for clip, masks in zip(clips, covered, strict=True)]
    return complete(backgrounds, *register_backgrounds(backgrounds))
