"""The canvas of a figure: a part of the picture at a higher resolution, with rounded shapes that reflect the light."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from i2vkit.rendering.figures.figure_identity import Colour

Paint = Colour | np.ndarray  # a colour, or three numbers (3,) computed from one

SHIFT = 4  # OpenCV takes corners in sixteenths of a pixel
CORNERS = 9  # number of corners of each rounded end
TURN = np.linspace(0.0, 1.0, CORNERS)
CONTOUR = 0.42  # brightness of contours
WARMTH = np.array([0.9, 1.05, 1.0])  # shade keeps more red, so that it turns warm instead of grey


@lru_cache
def shading(num_tones: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the layers of a rounded shape, with the contour first.

    Returns:
        The share of its radius (N,), the shift towards the light (N,), and the brightness (N, 3) of each layer.
    """
    depth = np.linspace(0.0, 1.0, num_tones)
    sizes, shifts = 1.0 - 0.68 * depth**0.9, 0.44 * depth**1.1
    tones = np.concatenate([[CONTOUR], 0.7 + 0.4 * depth**0.8])
    return np.append(1.0, sizes), np.append(0.0, shifts), np.clip(tones[:, None] ** WARMTH, 0.0, 1.3)


@dataclass(frozen=True)
class FigureCamera:
    """An orthographic camera that sees a body from the front and slightly from above.

    Near things are lower in the picture.
    """

    scale: float  # pixels for each body height
    centre: float  # column of x = 0
    ground: float  # row of the ground at z = 0
    pitch: float  # degrees by which it looks down

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixels (..., 2) and the nearness (...) of points (..., 3). Pixel centres are whole numbers."""
        sine, cosine = np.sin(np.deg2rad(self.pitch)), np.cos(np.deg2rad(self.pitch))
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        # Looking down by the pitch, a point that is nearer (larger z) appears lower.
        pixels = np.stack([self.centre + self.scale * x, self.ground - self.scale * (y * cosine - z * sine)], axis=-1)
        return pixels, z * cosine + y * sine


def capsules(start: np.ndarray, stop: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the outlines (..., 2 * CORNERS, 2) around pairs of discs, with centres (..., 2) and radii (...)."""
    along = stop - start
    length = np.sqrt(along[..., 0] ** 2 + along[..., 1] ** 2) + 1e-9
    angle = np.arctan2(along[..., 1], along[..., 0])[..., None]
    open_ = np.arccos(np.clip((first - last) / length, -1.0, 1.0))[..., None]
    # The common tangents touch the discs at this angle on both sides of the axis.
    back = angle + open_ + (2.0 * np.pi - 2.0 * open_) * TURN
    front = angle - open_ + 2.0 * open_ * TURN
    outline = np.empty((*length.shape, 2 * CORNERS, 2))
    for centre, radius, angles, part in (
        (start, first, back, slice(CORNERS)),
        (stop, last, front, slice(CORNERS, None)),
    ):
        outline[..., part, 0] = centre[..., :1] + radius[..., None] * np.cos(angles)
        outline[..., part, 1] = centre[..., 1:] + radius[..., None] * np.sin(angles)
    return outline


class FigureCanvas:
    """A layer over the part of a picture at `origin`. Later shapes cover earlier ones.

    Args:
        origin: The left and the top pixel in the picture.
        size: The width and height in pixels of the picture.
        factor: The factor of its resolution.
        light: The direction towards the light in the picture (x right, y down).
        line: The width of contours in pixels of the picture.
        num_tones: The number of steps from shade to light. Enough steps look smooth.
        split: Whether the silhouette of the body is kept apart from the prop.
    """

    def __init__(
        self,
        origin: tuple[int, int],
        size: tuple[int, int],
        factor: int,
        light: np.ndarray,
        line: float,
        num_tones: int,
        split: bool,
    ) -> None:
        self.origin, self.size, self.factor, self.light, self.line = np.array(origin), size, factor, light, line
        self.image = np.zeros((size[1] * factor, size[0] * factor, 4), np.uint8)
        self.body = np.zeros(self.image.shape[:2], np.uint8) if split else None
        self.sizes, self.shifts, self.tints = shading(num_tones)
        self.holds_body = True  # whether the next shapes belong to the body

    def place(self, pixels: np.ndarray) -> np.ndarray:
        """Convert pixels of the picture to fixed-point corners on the canvas."""
        fine = (pixels - self.origin) * self.factor + (self.factor - 1) / 2
        return np.rint(fine * (1 << SHIFT)).astype(np.int32)

    def fill(self, pixels: np.ndarray, colour: Paint, convex: bool = False) -> None:
        """Fill one polygon (N, 2)."""
        self._fill(self.place(pixels), colour, convex)

    def _fill(self, corners: np.ndarray, colour: Paint, convex: bool = True) -> None:
        """Fill one polygon of fixed-point corners."""
        paint = (int(colour[0]), int(colour[1]), int(colour[2]), 255)
        if convex:
            cv2.fillConvexPoly(self.image, corners, paint, cv2.LINE_8, SHIFT)
        else:
            cv2.fillPoly(self.image, [corners], paint, cv2.LINE_8, SHIFT)
        if self.body is not None and self.holds_body:
            cv2.fillPoly(self.body, [corners], 255, cv2.LINE_8, SHIFT)

    def stroke(self, pixels: np.ndarray, colour: Paint, width: float, closed: bool = False) -> None:
        """Draw a line along pixels (N, 2), `width` pixels of the picture wide."""
        thickness = max(1, round(width * self.factor))
        cv2.polylines(self.image, [self.place(pixels)], closed, (*map(int, colour), 255), thickness, cv2.LINE_8, SHIFT)

    def limbs(
        self,
        start: np.ndarray,
        stop: np.ndarray,
        first: np.ndarray | Sequence[float],
        last: np.ndarray | Sequence[float],
        colours: np.ndarray,
        bare: float = 0.0,
    ) -> None:
        """Draw N rounded tapering limbs, which join where they overlap: contours first, then tone on tone.

        Args:
            start: One end of each limb, (N, 2) in pixels.
            stop: The other end of each limb.
            first: The radii (N,) in pixels at the first ends.
            last: The radii at the other ends.
            colours: (N, 3).
            bare: The share of the first limb, from its start, that has no contour.
        """
        first, last = np.asarray(first, np.float64), np.asarray(last, np.float64)
        edge = np.zeros(len(self.sizes))
        edge[0] = self.line
        sizes, shifts = self.sizes[:, None], self.shifts[:, None, None] * self.light
        starts, radii = start + shifts * first[:, None], first * sizes + edge[:, None]
        if bare:
            starts[0, 0] += bare * (stop[0] - start[0])
            radii[0, 0] += bare * (last[0] - first[0])
        # (layers, N, 2 * CORNERS, 2): the contour of all limbs, then each tone of all limbs.
        outlines = self.place(capsules(starts, stop + shifts * last[:, None], radii, last * sizes + edge[:, None]))
        paints = np.clip(np.asarray(colours) * self.tints[:, None], 0, 255)
        for layer, paint in zip(outlines, paints.tolist(), strict=True):
            for corners, colour in zip(layer, paint, strict=True):
                self._fill(corners, colour)

    def hull(self, rings: list[tuple[np.ndarray, np.ndarray]], colour: Colour, contour: bool = True) -> None:
        """Draw a rounded shape around successive rings, as the convex hulls of each ring and the next.

        Args:
            rings: Centres (2,) and outlines (N, 2) relative to them, in pixels. N is the same for all.
            colour: The colour in full light.
            contour: Whether it has a dark contour.
        """
        centres, outlines = (np.array(parts)[None] for parts in zip(*rings, strict=True))
        # The contour has a fixed width in pixels, hence relative to the size of each ring.
        reach = np.abs(outlines).max(axis=(2, 3))[..., None]
        swell = (
            self.sizes[:, None, None] + np.where(np.arange(len(self.sizes)) == 0, self.line, 0.0)[:, None, None] / reach
        )
        centres = centres + self.shifts[:, None, None] * reach * self.light
        # (layers, rings, 1, 2) + (layers, rings, 1, 1) * (1, rings, N, 2) -> (layers, rings, N, 2)
        corners = self.place(centres[:, :, None] + swell[..., None] * outlines)
        paints = np.clip(np.asarray(colour) * self.tints, 0, 255).tolist()
        for layer in range(0 if contour else 1, len(self.sizes)):
            for upper, lower in pairwise(corners[layer]):
                self._fill(cv2.convexHull(np.concatenate([upper, lower])), paints[layer])

    def disc(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        """Draw a flat disc."""
        x, y = self.place(centre).tolist()
        size = max(1, round(radius * self.factor * (1 << SHIFT)))
        paint = (int(colour[0]), int(colour[1]), int(colour[2]), 255)
        cv2.circle(self.image, (x, y), size, paint, -1, cv2.LINE_8, SHIFT)
        if self.body is not None and self.holds_body:
            cv2.circle(self.body, (x, y), size, 255, -1, cv2.LINE_8, SHIFT)

    def layer(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the layer in the picture's resolution.

        Returns:
            Premultiplied RGBA (H, W, 4), and the cover of the body (H, W), both uint8.
        """
        layer = cv2.resize(self.image, self.size, interpolation=cv2.INTER_AREA)
        if self.body is None:
            return layer, layer[..., 3]
        return layer, cv2.resize(self.body, self.size, interpolation=cv2.INTER_AREA)
