"""Faces brought to one place and size by their eyes, and cropped from the brows to the chin."""

import cv2
import numpy as np

from i2vkit.errors import DataError

# Centres of the eye on the left and on the right of the picture, as shares of its side. The crop is three times as
# wide as the eyes are apart: that leaves a strip of forehead above raised brows and room below for a dropped jaw.
LEFT_EYE, RIGHT_EYE = (0.335, 0.33), (0.665, 0.33)


def eye_centres(landmarks: np.ndarray) -> np.ndarray:
    """Centres (..., 2, 2) of the left and right eye of landmarks (..., 68 or 5, 2).

    Of 68 points the corners of each eye count, not the lids, so that a blink does not shift the picture.
    """
    if landmarks.shape[-2] == 5:
        return landmarks[..., :2, :]
    return np.stack([landmarks[..., [36, 39], :].mean(axis=-2), landmarks[..., [42, 45], :].mean(axis=-2)], axis=-2)


def eye_transform(eyes: np.ndarray, size: int) -> np.ndarray:
    """The similarity (2, 3) that takes eye centres (2, 2) to their places in a picture of `size` x `size` pixels.

    Coordinates are pixels whose centres are whole numbers, on both sides.

    Raises:
        DataError: The eyes coincide, or the left one is on the right.

    >>> transform = eye_transform(np.array([[10.0, 20.0], [43.0, 20.0]]), 100)
    >>> (transform @ [10.0, 20.0, 1.0]).round(6).tolist()
    [33.0, 32.5]
    """
    places = np.array([LEFT_EYE, RIGHT_EYE]) * size - 0.5
    between = eyes[1] - eyes[0]
    if between[0] < 1.0:
        raise DataError(
            f"the eyes lie at {np.round(eyes, 1).tolist()}: the first must be left of the second in the picture"
        )
    # As complex numbers a rotation with scaling is one multiplication.
    turn = complex(*(places[1] - places[0])) / complex(*between)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.hstack([linear, (places.mean(axis=0) - linear @ eyes.mean(axis=0))[:, None]])


def align_clip(frames: np.ndarray, landmarks: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Every frame aligned by its own eyes.

    Args:
        frames: uint8 (T, H, W, 3).
        landmarks: (T, 68 or 5, 2) in pixels.
        size: Side of the result.

    Returns:
        Frames uint8 (T, size, size, 3) and landmarks (T, N, 2) in their pixels.

    Raises:
        DataError: Eyes that cannot be (see `eye_transform`).
    """
    transforms = [eye_transform(eyes, size) for eyes in eye_centres(landmarks)]
    # One factor a clip: the warped picture must be at least as fine as the frame, or the warp would alias.
    shrink = 1.0 / np.median([np.hypot(*transform[:, 0]) for transform in transforms])
    factor = int(np.clip(np.ceil(1.5 * shrink), 2, 16))
    aligned = np.stack(
        [_warp(frame, transform, size, factor) for frame, transform in zip(frames, transforms, strict=True)]
    )
    moved = np.stack([points @ t[:, :2].T + t[:, 2] for points, t in zip(landmarks, transforms, strict=True)])
    return aligned, moved


def _warp(frame: np.ndarray, transform: np.ndarray, size: int, factor: int) -> np.ndarray:
    """Warp to `factor` times the size, then take the mean of the pixels that become one."""
    fine = factor * transform
    fine[:, 2] += (factor - 1) / 2  # pixel k covers the fine pixels k * factor to k * factor + factor - 1
    side = size * factor
    warped = cv2.warpAffine(frame, fine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)
