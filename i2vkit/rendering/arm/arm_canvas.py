"""A canvas with four times the resolution of the final picture, seen by one camera."""

import cv2
import numpy as np

from i2vkit.rendering.arm.arm_camera import ArmCamera
from i2vkit.rendering.arm.solids import Faces, Light

SIDE = 64
FINE = 4  # pixels of the canvas for each pixel of the picture, each way
SHIFT = 4  # OpenCV takes corners in sixteenths of a pixel
RINGS = np.linspace(0.0, 1.0, 6)  # steps of the shading of round surfaces


def corners(pixels: np.ndarray) -> np.ndarray:
    """Convert pixels to the fixed-point corners that OpenCV takes."""
    return np.rint(pixels * (1 << SHIFT)).astype(np.int32)


class ArmCanvas:
    """A canvas to draw on. Edges need no smoothing, because the canvas is reduced at the end."""

    def __init__(self, camera: ArmCamera, light: Light):
        self.camera, self.light = camera, light
        self.side = SIDE * FINE
        self.image = np.zeros((self.side, self.side, 3), np.uint8)
        right, down, _ = camera.axes
        self._towards_light = np.array([right @ light.direction, down @ light.direction])

    def picture(self) -> np.ndarray:
        """Return the picture, uint8 (64, 64, 3)."""
        return cv2.resize(self.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    def fill(self, faces: Faces) -> None:
        """Fill faces. Later ones cover earlier ones."""
        pixels, _ = self.camera.project(np.concatenate([face for face, _ in faces]), self.side)
        fixed, start = corners(pixels), 0
        for face, colour in faces:
            stop = start + len(face)
            cv2.fillConvexPoly(self.image, fixed[start:stop], colour.tolist(), lineType=cv2.LINE_8, shift=SHIFT)
            start = stop

    def balls(self, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray, shine: float = 0.0) -> None:
        """Draw balls in the given order, shaded towards the light.

        A ball is a pile of discs. Each is brighter, smaller and nearer to the light than the one before.

        Args:
            centres: (N, 3), in metres.
            radii: (N,), in metres.
            colours: (N, 3) RGB.
            shine: The strength of a bright spot on each ball, 0 to 1.
        """
        pixels, scale = self.camera.project(centres, self.side)
        sizes = radii * scale
        # (N, 1, 2) + (N, rings, 1) * (2,) -> (N, rings, 2)
        middles = pixels[:, None] + 0.55 * (sizes[:, None] * RINGS)[..., None] * self._towards_light
        widths = sizes[:, None] * (1.0 - 0.8 * RINGS)
        tints = (colours * self.light.tint)[:, None] * self._tones(0.8, RINGS**0.8)[:, None]
        if shine:
            spots = pixels + 0.5 * sizes[:, None] * self._towards_light
            middles = np.concatenate([middles, spots[:, None]], axis=1)
            widths = np.concatenate([widths, 0.16 * sizes[:, None]], axis=1)
            tints = np.concatenate([tints, (colours + shine * (255.0 - colours))[:, None]], axis=1)
        self._discs(middles.reshape(-1, 2), widths.ravel(), tints.reshape(-1, 3))

    def limb(self, ends: np.ndarray, radii: tuple[float, float], colour: tuple[int, int, int]) -> None:
        """Draw a round tapering limb between two points (2, 3), with the shading of balls across it."""
        pixels, scale = self.camera.project(ends, self.side)
        sizes = np.asarray(radii) * scale
        along = pixels[1] - pixels[0]
        # The unit vector across the limb that points to the light.
        aside = np.array([-along[1], along[0]]) / max(np.hypot(*along), 1e-6)
        aside = aside if aside @ self._towards_light >= 0 else -aside
        lit = 0.5 * float(aside @ self._towards_light)
        widths = sizes * (1.0 - 0.85 * RINGS[:, None])
        middles = pixels + (lit * sizes * RINGS[:, None])[..., None] * aside
        wide = widths[..., None] * aside
        # One quadrilateral for each ring: (rings, 2, 2) and its other side -> (rings, 4, 2).
        outlines = corners(np.concatenate([middles + wide, (middles - wide)[:, ::-1]], axis=1))
        tints = np.multiply(colour, self.light.tint) * self._tones(0.75, RINGS)[:, None]
        for outline, middle, width, tint in zip(outlines, middles, widths, tints, strict=True):
            cv2.fillConvexPoly(self.image, outline, tint.clip(0, 255).tolist(), cv2.LINE_8, SHIFT)
            self._discs(middle, width, np.stack([tint, tint]))

    def _tones(self, shadow: float, share: np.ndarray) -> np.ndarray:
        """Return the brightness for shares 0 to 1, from `shadow` of the ambient light to full light."""
        dark = shadow * self.light.ambient
        return dark + (1.1 - dark) * share

    def _discs(self, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray) -> None:
        """Draw discs at pixels (N, 2) with colours (N, 3)."""
        places, colours = corners(centres).tolist(), colours.clip(0, 255).tolist()
        for place, radius, colour in zip(places, np.maximum(corners(radii), 1).tolist(), colours, strict=True):
            cv2.circle(self.image, place, radius, colour, -1, cv2.LINE_8, SHIFT)
