"""A picture drawn four times as fine as it is given, seen by one camera."""

import cv2
import numpy as np

from i2vkit.rendering.arm.arm_camera import ArmCamera
from i2vkit.rendering.arm.solids import Faces, Light

SIDE = 64
FINE = 4  # pixels of the canvas to one of the picture, each way
SHIFT = 4  # OpenCV takes corners in sixteenths of a pixel
RINGS = np.linspace(0.0, 1.0, 6)  # steps of the shading of what is round


def corners(pixels: np.ndarray) -> np.ndarray:
    """Pixels as the fixed-point corners OpenCV takes."""
    return np.rint(pixels * (1 << SHIFT)).astype(np.int32)


class ArmCanvas:
    """What brushes draw on; edges need no smoothing here, as the canvas is reduced at the end."""

    def __init__(self, camera: ArmCamera, light: Light):
        self.camera, self.light = camera, light
        self.side = SIDE * FINE
        self.image = np.zeros((self.side, self.side, 3), np.uint8)
        right, down, _ = camera.axes
        self._towards_light = np.array([right @ light.direction, down @ light.direction])

    def picture(self) -> np.ndarray:
        """The picture, uint8 (64, 64, 3)."""
        return cv2.resize(self.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    def fill(self, faces: Faces) -> None:
        """Fill faces, those that come later over the others."""
        pixels, _ = self.camera.project(np.concatenate([face for face, _ in faces]), self.side)
        fixed, start = corners(pixels), 0
        for face, colour in faces:
            stop = start + len(face)
            cv2.fillConvexPoly(self.image, fixed[start:stop], colour.tolist(), lineType=cv2.LINE_8, shift=SHIFT)
            start = stop

    def balls(self, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray, shine: float = 0.0) -> None:
        """Balls at (N, 3) with colours (N, 3), in that order, shaded towards the light; `shine` of a spot on each.

        A ball is a pile of discs, each brighter, smaller and nearer to the light than the last.
        """
        pixels, scale = self.camera.project(centres, self.side)
        sizes = radii * scale
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
        """A round tapering limb between two points (2, 3), shaded across as balls are."""
        pixels, scale = self.camera.project(ends, self.side)
        sizes = np.asarray(radii) * scale
        along = pixels[1] - pixels[0]
        aside = np.array([-along[1], along[0]]) / max(np.hypot(*along), 1e-6)
        aside = aside if aside @ self._towards_light >= 0 else -aside
        lit = 0.5 * float(aside @ self._towards_light)
        widths = sizes * (1.0 - 0.85 * RINGS[:, None])
        middles = pixels + (lit * sizes * RINGS[:, None])[..., None] * aside
        wide = widths[..., None] * aside
        outlines = corners(np.concatenate([middles + wide, (middles - wide)[:, ::-1]], axis=1))
        tints = np.multiply(colour, self.light.tint) * self._tones(0.75, RINGS)[:, None]
        for outline, middle, width, tint in zip(outlines, middles, widths, tints, strict=True):
            cv2.fillConvexPoly(self.image, outline, tint.clip(0, 255).tolist(), cv2.LINE_8, SHIFT)
            self._discs(middle, width, np.stack([tint, tint]))

    def _tones(self, shadow: float, share: np.ndarray) -> np.ndarray:
        """From `shadow` of the ambient light to full light."""
        dark = shadow * self.light.ambient
        return dark + (1.1 - dark) * share

    def _discs(self, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray) -> None:
        """Discs at pixels (N, 2) with colours (N, 3)."""
        places, colours = corners(centres).tolist(), colours.clip(0, 255).tolist()
        for place, radius, colour in zip(places, np.maximum(corners(radii), 1).tolist(), colours, strict=True):
            cv2.circle(self.image, place, radius, colour, -1, cv2.LINE_8, SHIFT)
