"""Brushes: anti-aliased polygons with sub-pixel corners, tapering strokes, layers. Colours RGB, pictures uint8."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

Colour = Sequence[float]
SHIFT = 4  # OpenCV takes corners in sixteenths of a pixel


@lru_cache(maxsize=4096)
def shade(colour: Colour, factor: float) -> tuple[int, ...]:
    """A lighter (factor > 1) or darker colour.

    >>> shade((100, 200, 50), 1.5)
    (150, 255, 75)
    """
    return tuple(min(255, max(0, round(c * factor))) for c in colour)


def fill_corners(points: np.ndarray) -> np.ndarray:
    """Pixels as the fixed-point corners OpenCV takes."""
    return np.rint(points * (1 << SHIFT)).astype(np.int32)


def fill(image: np.ndarray, *polygons: np.ndarray, colour: Colour) -> None:
    """Fill polygons (N, 2), in pixels, together by the even-odd rule: a second one inside the first is a hole."""
    cv2.fillPoly(image, [fill_corners(polygon) for polygon in polygons], colour, lineType=cv2.LINE_AA, shift=SHIFT)


def disc(image: np.ndarray, centre: np.ndarray, radius: float, colour: Colour) -> None:
    """A filled circle with sub-pixel centre and radius."""
    x, y = fill_corners(centre).tolist()
    cv2.circle(image, (x, y), round(radius * (1 << SHIFT)), colour, thickness=-1, lineType=cv2.LINE_AA, shift=SHIFT)


def ribbon(points: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The outline (..., 2N, 2) of a stroke along `points` (..., N, 2), `width` (..., N) wide at each point."""
    step = np.empty_like(points)
    step[..., 1:-1, :] = points[..., 2:, :] - points[..., :-2, :]
    step[..., 0, :] = points[..., 1, :] - points[..., 0, :]
    step[..., -1, :] = points[..., -1, :] - points[..., -2, :]
    dx, dy = step[..., 0], step[..., 1]
    share = 0.5 * width / np.sqrt(dx * dx + dy * dy + 1e-9)
    aside = np.empty_like(points)
    aside[..., 0], aside[..., 1] = -dy * share, dx * share
    return np.concatenate([points + aside, (points - aside)[..., ::-1, :]], axis=-2)


@lru_cache(maxsize=1024)
def taper(num_points: int, start: float = 0.0, stop: float = 0.0, middle: float = 1.0) -> np.ndarray:
    """Widths of a stroke that swells from `start` to `middle` and thins to `stop`."""
    t = np.linspace(0.0, 1.0, num_points)
    widths = start + (stop - start) * t + (middle - 0.5 * (start + stop)) * np.sin(np.pi * t)
    widths.flags.writeable = False
    return widths


def blend(image: np.ndarray, over: np.ndarray, mask: np.ndarray) -> None:
    """Lay `over` (H, W, 3) on `image` in place where `mask` (H, W) is 255, in part where it is less."""
    share = cv2.merge((mask, mask, mask))
    below = cv2.multiply(image, cv2.bitwise_not(share), scale=1 / 255)
    cv2.add(below, cv2.multiply(over, share, scale=1 / 255), dst=image)


def blend_layer(image: np.ndarray, layer: np.ndarray) -> None:
    """Lay a premultiplied RGBA layer (H, W, 4) on `image` (H, W, 3) in place."""
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    below = cv2.multiply(image, cv2.merge((rest, rest, rest)), scale=1 / 255)
    cv2.add(below, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), dst=image)


class Sketch:
    """A layer drawn once and with care: `factor` times larger, with colour and cover apart, then reduced.

    Points are in head units, as seen by the resting `FaceView` it is given.
    """

    def __init__(self, view, width: int, height: int, colour: Colour, factor: int = 3) -> None:
        self.view, self.factor = view, factor
        self.colour = np.full((height * factor, width * factor, 3), colour, dtype=np.uint8)
        self.cover = np.zeros((height * factor, width * factor), dtype=np.uint8)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Large-canvas pixels of head points (N, 2)."""
        pixels = points * self.view.scale + self.view.centre
        return pixels * self.factor + (self.factor - 1) / 2

    def shape(self, *polygons: np.ndarray) -> None:
        """Cover polygons with the layer."""
        for polygon in polygons:
            fill(self.cover, self.place(polygon), colour=(255,))

    def paint(self, polygon: np.ndarray, colour: Colour) -> None:
        """Colour a polygon (seen where something covers it)."""
        fill(self.colour, self.place(polygon), colour=colour)

    def stroke(self, points: np.ndarray, colour: Colour, width: float = 1.0) -> None:
        """Colour a line; `width` in pixels of the final picture."""
        corners = fill_corners(self.place(points))
        thickness = max(1, round(width * self.factor))
        cv2.polylines(self.colour, [corners], False, colour, thickness, lineType=cv2.LINE_AA, shift=SHIFT)

    def multiply(self, gain: np.ndarray) -> None:
        """Shade the colour with `gain` (H, W) of the final size."""
        large = cv2.resize(gain.astype(np.float32), self.colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        self.colour = np.clip(self.colour * large[..., None], 0, 255).astype(np.uint8)

    def layer(self) -> np.ndarray:
        """Premultiplied RGBA (H, W, 4)."""
        size = (self.cover.shape[1] // self.factor, self.cover.shape[0] // self.factor)
        premultiplied = self.colour * (self.cover[..., None] / 255.0)
        rgba = np.dstack([premultiplied, self.cover]).astype(np.float32)
        return np.rint(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)


class MovingLayer:
    """A premultiplied RGBA picture of the resting head that follows the head; only the part it can reach is touched.

    Args:
        picture: uint8 (H, W, 4) of the whole frame.
        depth: How far in front of the head's centre it lies, in head units.
        reach: By how many pixels it may move.
    """

    def __init__(self, picture: np.ndarray, depth: float, reach: int) -> None:
        self.picture, self.depth = picture, depth
        rows, columns = np.flatnonzero(picture[..., 3].any(axis=1)), np.flatnonzero(picture[..., 3].any(axis=0))
        self.top, self.bottom = max(int(rows[0]) - reach, 0), min(int(rows[-1]) + reach, picture.shape[0])
        self.left, self.right = max(int(columns[0]) - reach, 0), min(int(columns[-1]) + reach, picture.shape[1])

    def blend(self, image: np.ndarray, view) -> None:
        """Lay it on the whole frame `image` as `view` sees it."""
        size = (self.right - self.left, self.bottom - self.top)
        warped = cv2.warpAffine(
            self.picture, view.moved((self.left, self.top)).plane(self.depth), size, flags=cv2.INTER_LINEAR
        )
        blend_layer(image[self.top : self.bottom, self.left : self.right], warped)
