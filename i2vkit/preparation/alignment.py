"""Alignment of faces by their eyes. The crop reaches from the brows to the chin."""

from dataclasses import dataclass

import numpy as np

from i2vkit.errors import DataError
from i2vkit.preparation.pipeline import RawClip

# Positions of the eye on the left and of the eye on the right of the picture, as shares of its side. The crop is three
# times as wide as the distance of the eyes. That leaves some forehead above raised brows and room for a dropped jaw.
LEFT_EYE, RIGHT_EYE = (0.335, 0.33), (0.665, 0.33)


def eye_centres(landmarks: np.ndarray) -> np.ndarray:
    """Return the centres (..., 2, 2) of the left and the right eye from landmarks (..., 68 or 5, 2).

    With 68 points a centre is the mean of the two corners of the eye. The lids do not count, so that a blink does not
    shift the picture.
    """
    if landmarks.shape[-2] == 5:
        return landmarks[..., :2, :]
    return np.stack(
        [landmarks[..., [36, 39], :].mean(axis=-2), landmarks[..., [42, 45], :].mean(axis=-2)], axis=-2
    )  # two of (..., 2) -> (..., 2, 2)


def eye_transform(eyes: np.ndarray, size: int) -> np.ndarray:
    """Return the similarity transform (2, 3) that moves eye centres (2, 2) to their positions in the prepared picture.

    Coordinates are in pixels whose centres are whole numbers, in both pictures.

    Args:
        eyes: The centres of the left and the right eye, (2, 2) as x, y.
        size: The side of the prepared picture in pixels.

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
            f"the eyes are at {np.round(eyes, 1).tolist()}: the first must be left of the second in the picture"
        )
    # With points as complex numbers, rotation and scaling together are one multiplication.
    turn = complex(*(places[1] - places[0])) / complex(*between)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    # The shift brings the middle between the eyes to its position, which is the best fit for both.
    return np.hstack([linear, (places.mean(axis=0) - linear @ eyes.mean(axis=0))[:, None]])


@dataclass(frozen=True)
class EyeAlignment:
    """A framing that rotates, scales and shifts every frame by its own eyes. Clips need landmarks."""

    size: int

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the transforms (T, 2, 3). Raise ``DataError`` if there are no landmarks or the eyes are impossible."""
        if "landmarks" not in clip.points:
            raise DataError(f"no landmarks at {clip.record.metadata.get('landmarks', 'hand')}")
        return np.stack([eye_transform(eyes, self.size) for eyes in eye_centres(clip.points["landmarks"])])
