"""Warping of frames and points to the prepared picture by affine maps."""

import cv2
import numpy as np


class Warp:
    """A warp of frames and points by the affine maps (T, 2, 3) of a framing, or by one map (1, 2, 3) for all frames.

    Pixel centres are whole numbers. To avoid aliasing, a picture that shrinks is warped to a multiple of ``size`` and
    then averaged. Beyond the frame its edge is repeated.
    """

    def __init__(self, transforms: np.ndarray, size: int):
        self.transforms, self.size = transforms, size
        # The clip has one factor, at which the warped picture is at least as fine as the frame.
        shrink = 1.0 / np.median([np.sqrt(abs(np.linalg.det(transform[:, :2]))) for transform in transforms])
        self.factor = int(np.clip(np.ceil(1.5 * shrink), 2, 16))

    def frame(self, frame: np.ndarray, number: int) -> np.ndarray:
        """Return frame ``number``, uint8 (H, W, 3), warped to uint8 (size, size, 3)."""
        if frame.shape == (self.size, self.size, 3) and np.array_equal(self._of(number), np.eye(2, 3)):
            return frame  # resampling would blur it
        fine = self.factor * self._of(number)
        fine[:, 2] += (self.factor - 1) / 2  # pixel k covers the fine pixels k * factor to k * factor + factor - 1
        side = (self.size * self.factor,) * 2
        # Beyond the frame its edge is repeated.
        warped = cv2.warpAffine(frame, fine, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.resize(warped, (self.size, self.size), interpolation=cv2.INTER_AREA)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Return points (T, N, 2) of all frames in pixels of the warped pictures. NaN stays NaN."""
        maps = (self._of(number) for number in range(len(points)))
        # (N, 2) @ (2, 2) + (2,) -> (N, 2) for each frame
        return np.stack([one @ map[:, :2].T + map[:, 2] for one, map in zip(points, maps, strict=True)])

    def _of(self, number: int) -> np.ndarray:
        """Return the map (2, 3) of a frame."""
        return self.transforms[number if len(self.transforms) > 1 else 0]
