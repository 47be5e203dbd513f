"""Faces cut out by one box that stays where the face was on the first frame, so that the head moves in the picture."""

from dataclasses import dataclass

import numpy as np

from i2vkit.errors import DataError
from i2vkit.preparation.alignment import eye_centres
from i2vkit.preparation.pipeline import RawClip

# The box of 68 points where only 5 are known: its centre from the eyes towards the mouth, and its side, as shares of
# the distance between eyes and mouth. Means over 24 rendered faces are 0.56 and 2.05.
_CENTRE, _SIDE = 0.55, 2.05


def face_square(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2,) and side in pixels of the square around a face given by landmarks (68 or 5, 2).

    Of 68 points it is the square around all of them, brows to chin; from 5 points it is estimated.

    >>> face_square(np.array([[10.0, 20.0], [50.0, 20.0], [30.0, 45.0], [18.0, 60.0], [42.0, 60.0]]))
    (array([30., 42.]), 82.0)
    """
    if len(landmarks) == 5:
        eyes, mouth = eye_centres(landmarks), landmarks[3:].mean(axis=0)
        middle = eyes.mean(axis=0)
        # A turned head brings the eyes together, a nodding one eyes and mouth; the longer distance is the less wrong.
        unit = max(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(mouth - middle))
        return middle + _CENTRE * (mouth - middle), float(_SIDE * unit)
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    return (low + high) / 2, float((high - low).max())


@dataclass(frozen=True)
class FirstFrameBox:
    """A framing by the square around the face on the first frame, with ``margin``, a share of its side, on every side.

    Source: FRGAN crops faces "with regards to the landmark ground truth"; its code takes the first frame's for all.
    """

    size: int
    margin: float = 0.1

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Give the one map (1, 2, 3). Raises ``DataError`` without landmarks or if they all lie in one place."""
        if "landmarks" not in clip.points:
            raise DataError(f"no landmarks at {clip.record.metadata.get('landmarks', 'hand')}")
        centre, side = face_square(clip.points["landmarks"][0])
        if side < 1.0:
            raise DataError(f"the landmarks of the first frame all lie at {np.round(centre, 1).tolist()}")
        scale = self.size / ((1.0 + 2.0 * self.margin) * side)
        shift = (self.size - 1) / 2 - scale * centre  # pixel centres are whole numbers
        return np.hstack([scale * np.eye(2), shift[:, None]])[None]
