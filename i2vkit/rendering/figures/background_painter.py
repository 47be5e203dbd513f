"""Painting tools for backgrounds: bands, boxes, lines, leaves and textures."""

import cv2
import numpy as np

from i2vkit.rendering.figures.figure_canvas import FigureCamera
from i2vkit.rendering.figures.figure_identity import Colour, FigureIdentity


class BackgroundPainter:
    """A float picture in progress, at twice the resolution. Rows and columns are in pixels of the final picture.

    Args:
        identity: The person, whose light, look and seed the background has.
        place: The name of the place, which changes the random details.
        camera: The camera that sees the figure.
        width: The width of the final picture.
        height: The height of the final picture.
    """

    FINE = 2

    def __init__(self, identity: FigureIdentity, place: str, camera: FigureCamera, width: int, height: int) -> None:
        self.identity, self.width, self.height, self.camera = identity, width, height, camera
        self.rng = np.random.default_rng([identity.seed, sum(place.encode())])
        self.look = identity.look
        self.image = np.zeros((height * self.FINE, width * self.FINE, 3), np.float32)
        # The row at which the wall meets the ground, a little behind the figure.
        self.horizon = camera.ground - camera.scale * 0.16

    def pick(self, *options):
        """Return the option that fits the look of the person's backgrounds."""
        return options[int(self.look * len(options)) % len(options)]

    def noise(self, grain: float, stretch: float = 1.0) -> np.ndarray:
        """Return smooth noise (H, W) of unit deviation.

        It is `grain` pixels wide and `stretch` times as high as wide.
        """
        rows, columns = self.image.shape[:2]
        size = (max(2, round(columns / (grain * self.FINE))), max(2, round(rows / (grain * stretch * self.FINE))))
        # Noise on a coarse grid becomes smooth when it is enlarged.
        coarse = self.rng.standard_normal(size[::-1]).astype(np.float32)
        fine = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
        return fine / max(float(fine.std()), 1e-6)

    def band(self, top: float, bottom: float, colour: Colour, fade: float = 0.0) -> None:
        """Paint a strip over the whole width. `fade` darkens (< 0) or lightens it towards the bottom."""
        first, last = (max(0, round(row * self.FINE)) for row in (top, bottom))
        rows = np.linspace(0.0, fade, max(1, last - first), dtype=np.float32)
        self.image[first:last] = (np.array(colour, np.float32) * (1.0 + rows[: len(self.image) - first, None]))[:, None]

    def polygon(self, corners, colour: Colour) -> None:
        """Fill a polygon of points (column, row)."""
        points = np.rint(np.array(corners, np.float64) * self.FINE * 16).astype(np.int32)
        cv2.fillPoly(self.image, [points], tuple(map(float, colour)), cv2.LINE_AA, 4)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def line(self, corners, colour: Colour, width: float) -> None:
        """Draw a line through points (column, row)."""
        points = np.rint(np.array(corners, np.float64) * self.FINE * 16).astype(np.int32)
        cv2.polylines(
            self.image, [points], False, tuple(map(float, colour)), max(1, round(width * self.FINE)), cv2.LINE_AA, 4
        )

    def texture(self, top: float, bottom: float, *layers: tuple[float, float, float]) -> None:
        """Multiply rows by layers of noise, each (grain, stretch, strength)."""
        first, last = max(0, round(top * self.FINE)), round(bottom * self.FINE)
        for grain, stretch, strength in layers:
            gain = 1.0 + strength * self.noise(grain, stretch)[first:last, :, None]
            self.image[first:last] *= np.clip(gain, 0.4, 1.6)

    def foliage(
        self, left: float, right: float, top: float, bottom: float, colour: Colour, size: float, count: int
    ) -> None:
        """Paint leaves as many soft spots, lit from above."""
        for row in np.sort(self.rng.uniform(top, bottom, count))[::-1]:
            column, radius = self.rng.uniform(left, right), size * self.rng.uniform(0.6, 1.3)
            tone = 1.22 - 0.5 * (row - top) / max(bottom - top, 1.0) + self.rng.uniform(-0.13, 0.13)
            centre = (round(column * self.FINE * 16), round(row * self.FINE * 16))
            cv2.circle(
                self.image,
                centre,
                round(radius * self.FINE * 16),
                tuple(float(c * tone) for c in colour),
                -1,
                cv2.LINE_AA,
                4,
            )

    def picture(self) -> np.ndarray:
        """Return the finished picture, uint8 (H, W, 3), slightly brighter on the lit side."""
        columns = np.linspace(-1.0, 1.0, self.image.shape[1], dtype=np.float32)
        gain = 1.0 + 0.07 * np.sign(self.identity.light[0]) * columns
        small = cv2.resize(self.image * gain[None, :, None], (self.width, self.height), interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(small), 0, 255).astype(np.uint8)
