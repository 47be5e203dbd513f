"""Detection of faces and their 68 landmarks by dlib, an optional dependency that is imported only when it is needed."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import cv2
import numpy as np

from i2vkit.errors import DataError
from i2vkit.utils.package_folders import package_folder

INSTALL = "to have them found in the pictures: pip install 'i2vkit[faces]' (licences: docs/data.md)"

# dlib finds faces of 80 pixels and more. A whole picture is scaled to this short side, of which that is a sixth. Around
# the last position of a face, the picture is scaled so that the face has 120 pixels.
_SHORT_SIDE = 480
_FACE, _SURROUNDINGS = 120, 2.0
# dlib's landmarks are whole pixels and jump with the box. Hence they are measured on a magnified face and averaged over
# boxes that are shifted by a share of the width. On rendered clips this halves their jitter.
_MAGNIFIED = 256
_SHIFTS = ((0.0, 0.0), (0.03, 0.0), (-0.03, 0.0), (0.0, 0.03), (0.0, -0.03))


@dataclass(frozen=True)
class DlibFaceDetector:
    """A detector with dlib's frontal face detector (histograms of gradients) and its 68-point regression trees."""

    def faces(self, frame: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
        """Find the faces in ``frame``, uint8 (H, W, 3).

        Args:
            frame: The picture.
            near: A box (4,). If given, only its surroundings are searched, which is much faster.

        Returns:
            Boxes (N, 4) as x0, y0, x1, y1 in pixels.

        Raises:
            DataError: dlib is not installed.
        """
        if near is None:
            height, width = frame.shape[:2]
            part = _Part(frame, np.array([0, 0, width, height]), _SHORT_SIDE / min(height, width))
        else:
            part = _Part(frame, _grown(near, _SURROUNDINGS), _FACE / (near[2] - near[0]))
        found = [[r.left(), r.top(), r.right(), r.bottom()] for r in _models().detector(part.picture, 0)]
        return part.to_frame(np.array(found, dtype=float).reshape(-1, 2, 2)).reshape(-1, 4)  # as corners (N, 2, 2)

    def landmarks(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Return the landmarks (68, 2), in iBUG order, of the face in a box (4,) that ``faces`` found in ``frame``."""
        part = _Part(frame, _grown(box, _SURROUNDINGS), _MAGNIFIED / (box[2] - box[0]) / _SURROUNDINGS)
        corners = part.from_frame(box.reshape(2, 2))
        width = corners[1, 0] - corners[0, 0]
        # The mean over the shifted boxes is steadier than any of them.
        tries = [self._points(part.picture, corners + width * np.array(shift)) for shift in _SHIFTS]
        return part.to_frame(np.mean(tries, axis=0))

    def _points(self, picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
        """Return dlib's 68 landmarks (68, 2) of the face in the box with these corners (2, 2)."""
        dlib, _, predictor = _models()
        shape = predictor(picture, dlib.rectangle(*np.rint(corners).astype(int).ravel().tolist()))
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=float)


class _Part:
    """A scaled part of a frame: the pixels of a box that are inside the frame.

    Pixel centres are whole numbers in both.
    """

    def __init__(self, frame: np.ndarray, box: np.ndarray, scale: float):
        height, width = frame.shape[:2]
        self.left, self.top = np.clip(np.floor(box[:2]).astype(int), 0, (width - 1, height - 1)).tolist()
        right, bottom = np.ceil(box[2:]).astype(int).tolist()
        part = frame[self.top : max(bottom, self.top + 1), self.left : max(right, self.left + 1)]
        size = tuple(max(1, round(scale * length)) for length in part.shape[1::-1])
        self.picture = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # Rounding the size changes the scale slightly, and differently for x and y.
        self.scale = np.array(size) / part.shape[1::-1]

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Convert points (..., 2) of the part to pixels of the frame."""
        # Half a pixel converts centres at whole numbers to distances from the edge, and back.
        return (points + 0.5) / self.scale - 0.5 + (self.left, self.top)

    def from_frame(self, points: np.ndarray) -> np.ndarray:
        """Convert points (..., 2) of the frame to pixels of the part."""
        return (points - (self.left, self.top) + 0.5) * self.scale - 0.5


def _grown(box: np.ndarray, factor: float) -> np.ndarray:
    """Scale a box (4,) around its centre."""
    centre, half = (box[:2] + box[2:]) / 2, factor * (box[2:] - box[:2]) / 2
    return np.concatenate([centre - half, centre + half])


def dlib_installed() -> bool:
    """Return whether both packages of the extra ``faces`` are installed."""
    return all(find_spec(name) is not None for name in ("dlib", "face_recognition_models"))


class _Models(NamedTuple):
    """The module dlib, its face detector and its landmark predictor."""

    dlib: Any
    detector: Any
    predictor: Any


def _models() -> _Models:
    """Return dlib, its detector and its predictor. Raise ``DataError`` if the extra is not installed."""
    if not dlib_installed():
        raise DataError(f"no landmarks at hand; {INSTALL}")
    return _load()


@lru_cache(maxsize=1)
def _load() -> _Models:
    """Load dlib and its models, once for each process."""
    import dlib

    # The package with the weights is found, not imported: its import needs pkg_resources, which newer versions of
    # setuptools lack.
    folder = package_folder("face_recognition_models") / "models"
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
    return _Models(dlib, dlib.get_frontal_face_detector(), predictor)
