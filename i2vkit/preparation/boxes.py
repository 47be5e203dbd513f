"""Cropping of faces by boxes: that of the face on the first frame, or that of each frame.

With one box the head moves in the picture, with a box for each frame it stays in the middle.
"""

from dataclasses import dataclass

import numpy as np

from i2vkit.errors import DataError
from i2vkit.preparation.alignment import eye_centres
from i2vkit.preparation.pipeline import RawClip

# An estimate of the box of 68 points from only 5: its centre between the eyes (0) and the mouth (1), and its side, as
# a share of their distance. The means over 24 rendered faces are 0.56 and 2.05.
_CENTRE, _SIDE = 0.55, 2.05


def face_square(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the centre (2,) and the side in pixels of the square around a face, from landmarks (68 or 5, 2).

    With 68 points it is the square around all of them, from brows to chin. With 5 points it is estimated.

    >>> face_square(np.array([[10.0, 20.0], [50.0, 20.0], [30.0, 45.0], [18.0, 60.0], [42.0, 60.0]]))
    (array([30., 42.]), 82.0)
    """
    if len(landmarks) == 5:
        eyes, mouth = eye_centres(landmarks), landmarks[3:].mean(axis=0)
        middle = eyes.mean(axis=0)
        # A turned head shortens the distance of the eyes, and a nodding head that of eyes and mouth. The longer of the
        # two is the better measure.
        unit = max(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(mouth - middle))
        return middle + _CENTRE * (mouth - middle), float(_SIDE * unit)
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    return (low + high) / 2, float((high - low).max())


@dataclass(frozen=True)
class FirstFrameBox:
    """A framing by the square around the face on the first frame.

    Source: FRGAN crops faces "with regards to the landmark ground truth". Its code uses the first frame's crop for all
    frames.

    Args:
        size: The side of the prepared frames in pixels.
        margin: The share of the square's side that is added on every side.
    """

    size: int
    margin: float = 0.1

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the single transform (1, 2, 3). Raise ``DataError`` if there are no landmarks or all coincide."""
        return _square_transform(_landmarks(clip)[0], self.size, self.margin, 0)[None]


@dataclass(frozen=True)
class BoxPerFrame:
    """A framing by the square around the face on every frame.

    Source: ImaGINator, sec. 4.1, detects faces and crops them in each frame.

    Args:
        size: The side of the prepared frames in pixels.
        margin: The share of the square's side that is added on every side.
    """

    size: int
    margin: float = 0.1

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the transforms (T, 2, 3). Raise ``DataError`` if there are no landmarks or all of a frame coincide."""
        every = enumerate(_landmarks(clip))
        return np.stack([_square_transform(points, self.size, self.margin, number) for number, points in every])


def _landmarks(clip: RawClip) -> np.ndarray:
    """Return the landmarks (T, 68 or 5, 2) of a clip. Raise ``DataError`` if there are none."""
    if "landmarks" not in clip.points:
        raise DataError(f"no landmarks at {clip.record.metadata.get('landmarks', 'hand')}")
    return clip.points["landmarks"]


def _square_transform(points: np.ndarray, size: int, margin: float, number: int) -> np.ndarray:
    """Return the transform (2, 3) that makes the square around a face, with its margins, the whole picture.

    Raises:
        DataError: All landmarks of this frame, the ``number``-th, coincide.
    """
    centre, side = face_square(points)
    if side < 1.0:
        where = "the first frame" if number == 0 else f"frame {number}"
        raise DataError(f"the landmarks of {where} are all at {np.round(centre, 1).tolist()}")
    scale = size / ((1.0 + 2.0 * margin) * side)
    shift = (size - 1) / 2 - scale * centre  # pixel centres are whole numbers
    return np.hstack([scale * np.eye(2), shift[:, None]])
