"""Painting tools: anti-aliased polygons with sub-pixel corners, tapering strokes, and layers.

Colours are RGB and pictures uint8.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

Colour = Sequence[float]
SHIFT = 4  # OpenCV takes corners in sixteenths of a pixel


@lru_cache(maxsize=4096)
def shade(colour: Colour, factor: float) -> tuple[int, ...]:
    """Return a lighter (factor > 1) or darker colour.

    >>> shade((100, 200, 50), 1.5)
    (150, 255, 75)
    """
    return tuple(min(255, max(0, round(c * factor))) for c in colour)


def fill_corners(points: np.ndarray) -> np.ndarray:
    """Convert pixels to the fixed-point corners that OpenCV takes."""
    return np.rint(points * (1 << SHIFT)).astype(np.int32)


def fill(image: np.ndarray, *polygons: np.ndarray, colour: Colour) -> None:
    """Fill polygons (N, 2), in pixels, together by the even-odd rule. A polygon inside another one is a hole."""
    cv2.fillPoly(image, [fill_corners(polygon) for polygon in polygons], colour, lineType=cv2.LINE_AA, shift=SHIFT)


def disc(image: np.ndarray, centre: np.ndarray, radius: float, colour: Colour) -> None:
    """Fill a circle with sub-pixel centre and radius."""
    x, y = fill_corners(centre).tolist()
    cv2.circle(image, (x, y), round(radius * (1 << SHIFT)), colour, thickness=-1, lineType=cv2.LINE_AA, shift=SHIFT)


def ribbon(points: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the outline (..., 2N, 2) of a stroke along `points` (..., N, 2), `width` (..., N) wide at each point."""
    step = np.empty_like(points)
    step[..., 1:-1, :] = points[..., 2:, :] - points[..., :-2, :]
    step[..., 0, :] = points[..., 1, :] - points[..., 0, :]
    step[..., -1, :] = points[..., -1, :] - points[..., -2, :]
    # Central differences give the direction of the stroke at each point.
    dx, dy = step[..., 0], step[..., 1]
    share = 0.5 * width / np.sqrt(dx * dx + dy * dy + 1e-9)
    aside = np.empty_like(points)
    aside[..., 0], aside[..., 1] = -dy * share, dx * share
    return np.concatenate([points + aside, (points - aside)[..., ::-1, :]], axis=-2)  # there and back


@lru_cache(maxsize=1024)
def taper(num_points: int, start: float = 0.0, stop: float = 0.0, middle: float = 1.0) -> np.ndarray:
    """Return the widths of a stroke that grows from `start` to `middle` and shrinks to `stop`."""
    t = np.linspace(0.0, 1.0, num_points)
    widths = start + (stop - start) * t + (middle - 0.5 * (start + stop)) * np.sin(np.pi * t)
    widths.flags.writeable = False  # all callers share the cached array
    return widths


def blend(image: np.ndarray, over: np.ndarray, mask: np.ndarray) -> None:
    """Blend `over` (H, W, 3) into `image` in place, with the weights `mask` (H, W) from 0 to 255."""
    share = cv2.merge((mask, mask, mask))
    below = cv2.multiply(image, cv2.bitwise_not(share), scale=1 / 255)
    cv2.add(below, cv2.multiply(over, share, scale=1 / 255), dst=image)


def blend_layer(image: np.ndarray, layer: np.ndarray) -> None:
    """Blend a premultiplied RGBA layer (H, W, 4) into `image` (H, W, 3) in place."""
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    below = cv2.multiply(image, cv2.merge((rest, rest, rest)), scale=1 / 255)
    cv2.add(below, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), dst=image)


class Sketch:
    """A layer that is drawn `factor` times larger, with colour and cover apart, and then reduced.

    Points are in head units of a resting `FaceView`.
    """

    def __init__(self, view, width: int, height: int, colour: Colour, factor: int = 3) -> None:
        self.view, self.factor = view, factor
        self.colour = np.full((height * factor, width * factor, 3), colour, dtype=np.uint8)
        self.cover = np.zeros((height * factor, width * factor), dtype=np.uint8)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Convert head points (N, 2) to pixels of the large canvas."""
        pixels = points * self.view.scale + self.view.centre
        return pixels * self.factor + (self.factor - 1) / 2

    def shape(self, *polygons: np.ndarray) -> None:
        """Cover polygons with the layer."""
        for polygon in polygons:
            fill(self.cover, self.place(polygon), colour=(255,))

    def paint(self, polygon: np.ndarray, colour: Colour) -> None:
        """Colour a polygon. The colour is visible where the layer covers."""
        fill(self.colour, self.place(polygon), colour=colour)

    def stroke(self, points: np.ndarray, colour: Colour, width: float = 1.0) -> None:
        """Colour a line. `width` is in pixels of the final picture."""
        corners = fill_corners(self.place(points))
        thickness = max(1, round(width * self.factor))
        cv2.polylines(self.colour, [corners], False, colour, thickness, lineType=cv2.LINE_AA, shift=SHIFT)

    def multiply(self, gain: np.ndarray) -> None:
        """Multiply the colour by `gain` (H, W), which has the final size."""
        large = cv2.resize(gain.astype(np.float32), self.colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        self.colour = np.clip(self.colour * large[..., None], 0, 255).astype(np.uint8)

    def layer(self) -> np.ndarray:
        """Return the layer as premultiplied RGBA (H, W, 4)."""
        size = (self.cover.shape[1] // self.factor, self.cover.shape[0] // self.factor)
        # Premultiplied colours can be averaged without dark edges.
        premultiplied = self.colour * (self.cover[..., None] / 255.0)
        rgba = np.dstack([premultiplied, self.cover]).astype(np.float32)
        return np.rint(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)


class MovingLayer:
    """A picture of the resting head, premultiplied RGBA, that follows the head.

    Only the part that it can reach is changed.

    Args:
        picture: uint8 (H, W, 4) of the whole frame.
        depth: Its distance in front of the head's centre, in head units.
        reach: The greatest motion in pixels.
    """

    def __init__(self, picture: np.ndarray, depth: float, reach: int) -> None:
        self.picture, self.depth = picture, depth
        # The rows and columns that the layer covers, widened by its reach below.
        rows, columns = np.flatnonzero(picture[..., 3].any(axis=1)), np.flatnonzero(picture[..., 3].any(axis=0))
        self.top, self.bottom = max(int(rows[0]) - reach, 0), min(int(rows[-1]) + reach, picture.shape[0])
        self.left, self.right = max(int(columns[0]) - reach, 0), min(int(columns[-1]) + reach, picture.shape[1])

    def blend(self, image: np.ndarray, view) -> None:
        """Blend the layer into the whole frame `image`, as `view` sees it."""
        size = (self.right - self.left, self.bottom - self.top)
        warped = cv2.warpAffine(
            self.picture, view.moved((self.left, self.top)).plane(self.depth), size, flags=cv2.INTER_LINEAR
        )
        blend_layer(image[self.top : self.bottom, self.left : self.right], warped)
