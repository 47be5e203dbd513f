"""The empty wall behind people who stay in their places, put together from all clips that show a part of it.

The median over time hides whoever hardly moves. But clips cut out around people who stand at different places of one
wall show different parts of it: registered to each other they show it all.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import binary_dilation
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

# Of a channel's 256 values: what varies more over a clip has hidden the wall.
_STILL = 25.0
# Pictures of fewer common pixels, and those that correlate less, are not known to show one wall.
_OVERLAP = 300
_ALIKE = 0.7
# The part of a square picture in which somebody stands who never moves: rows from, columns from and to.
_MIDDLE = (0.12, 0.28, 0.72)


def median_of_known(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The median over the first axis of ``values`` (N, H, W, 3) that are ``known`` (N, H, W), float32; NaN where none.

    >>> values = np.array([10, 20, 60]).reshape(3, 1, 1, 1).repeat(3, axis=3)
    >>> median_of_known(values, np.array([True, True, False]).reshape(3, 1, 1)).tolist()
    [[[15.0, 15.0, 15.0]]]
    """
    count = known.sum(axis=0)[None, :, :, None]
    ordered = np.sort(np.where(known[..., None], values, np.inf).astype(np.float32), axis=0)
    low, high = (np.take_along_axis(ordered, np.maximum(c, 0), axis=0)[0] for c in ((count - 1) // 2, count // 2))
    return np.where(count[0] > 0, (low + high) / 2, np.nan).astype(np.float32)


def first_guess(clip: np.ndarray) -> np.ndarray:
    """What covers the wall in frames (T, H, W, 3), bool (T, H, W), before anything is known: motion and the middle."""
    moved = (np.abs(clip - np.median(clip, axis=0)).max(axis=(0, 3)) > _STILL).astype(bool)
    height, width = clip.shape[1:3]
    top, left, right = (round(share * side) for share, side in zip(_MIDDLE, (height, width, width), strict=True))
    covered = binary_dilation(moved, iterations=2)
    covered[top:, left:right] = True
    return np.broadcast_to(covered, clip.shape[:3])


class Spectra:
    """A picture of a wall (H, W, 3), NaN where it is covered, ready to be compared with others of its size.

    What counts is structure, brightness less its local mean, so that light and camera may differ.
    """

    def __init__(self, background: np.ndarray):
        known = np.isfinite(background).all(axis=2)
        light = np.where(known, background.mean(axis=2), 0.0)
        near = cv2.GaussianBlur(known.astype(float), (0, 0), 5)
        mean = cv2.GaussianBlur(light, (0, 0), 5) / np.maximum(near, 1e-6)
        values = np.where(known, light - mean, 0.0)
        self.padded = tuple(2 * side for side in known.shape)
        terms = (known.astype(float), values, values**2)
        self.known, self.values, self.squares = (rfft2(term, self.padded) for term in terms)

    def correlated(self, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Sums of products of two pictures, given by their spectra, by how far the second is moved (cyclic)."""
        return irfft2(mine * theirs.conj(), self.padded)


def register(one: Spectra, other: Spectra) -> tuple[float, tuple[int, int]]:
    """How well two pictures correlate, and the place (row, column) of the first pixel of ``other`` in ``one`` where
    they do best.

    Correlation is normalised over the pixels known to both (Padfield, "Masked object registration in the Fourier
    domain", 2012); -1 where those are too few at any place.
    """
    pairs = (
        (one.known, other.known),
        (one.values, other.known),
        (one.known, other.values),
        (one.squares, other.known),
        (one.known, other.squares),
        (one.values, other.values),
    )
    n, a, b, aa, bb, ab = (one.correlated(mine, theirs) for mine, theirs in pairs)
    enough = n > _OVERLAP - 0.5
    n = np.maximum(n, 1)
    spread = np.sqrt(np.maximum((aa - a**2 / n) * (bb - b**2 / n), 1e-6))
    alike = np.where(enough, (ab - a * b / n) / spread, -1.0)
    place = np.array(np.unravel_index(alike.argmax(), alike.shape))
    half = np.array(alike.shape) // 2
    row, column = np.where(place < half, place, place - alike.shape)
    return float(alike.max()), (int(row), int(column))


def register_backgrounds(backgrounds: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures (H, W, 3) show one wall, as its number (N,), and where on it, (N, 2) row and column.

    Pictures are chained along the pairs that correlate best.
    """
    count, spectra = len(backgrounds), [Spectra(background) for background in backgrounds]
    cost, shifts = np.zeros((count, count)), np.zeros((count, count, 2), int)
    for i in range(count):
        for j in range(i):
            alike, shift = register(spectra[i], spectra[j])
            if alike >= _ALIKE:
                cost[i, j] = 1.001 - alike
                shifts[i, j], shifts[j, i] = shift, [-shift[0], -shift[1]]
    tree = minimum_spanning_tree(cost)
    number, background = connected_components(tree, directed=False)
    places = np.zeros((count, 2), int)
    for root in (np.flatnonzero(background == each)[0] for each in range(number)):
        order, parents = breadth_first_order(tree, root, directed=False)
        for node in order[1:]:
            places[node] = places[parents[node]] + shifts[parents[node], node]
        places[order] -= places[order].min(axis=0)
    return background, places


def complete(backgrounds: Sequence[np.ndarray], background: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """The pictures (H, W, 3) with what they hide (NaN) filled in from the others of the same wall, in their colours.

    What no other shows stays NaN.
    """
    backgrounds, result = [picture.copy() for picture in backgrounds], []
    for i, picture in enumerate(backgrounds):
        others = [
            _seen_from(picture, backgrounds[j], places[j] - places[i])
            for j in np.flatnonzero(background == background[i])
        ]
        stack = np.stack(others)
        filling = median_of_known(stack, np.isfinite(stack).all(axis=3))
        result.append(np.where(np.isfinite(picture), picture, filling))
    return result


def _seen_from(picture: np.ndarray, other: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """``other`` moved into the frame of ``picture`` and given its colours: a gain and an offset a channel."""
    (height, width), (dy, dx) = picture.shape[:2], shift
    moved = np.full_like(picture, np.nan)
    rows, columns = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
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
    """The wall (H, W, 3) behind the person of each clip uint8 (T, H, W, 3), float32, NaN where no clip shows it.

    ``find(clip, background)`` gives masks bool (T, H, W) of the person. It is asked once, with walls of which nothing
    is taken that may be covered; with its answer the walls are taken and put beside each other again.
    """
    backgrounds = [median_of_known(clip, ~first_guess(clip)) for clip in clips]
    backgrounds = complete(backgrounds, *register_backgrounds(backgrounds))
    near = np.ones((1, 3, 3), bool)
    covered = [
        binary_dilation(find(clip, background), near, iterations=3)
        for clip, background in zip(clips, backgrounds, strict=True)
    ]
    backgrounds = [median_of_known(clip, ~masks) for clip, masks in zip(clips, covered, strict=True)]
    return complete(backgrounds, *register_backgrounds(backgrounds))
