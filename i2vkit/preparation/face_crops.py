"""Clips of faces, raw to prepared: the face followed through the clip where no landmarks were given, and framed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.point_files import LONGEST_GAP
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.alignment import EyeAlignment
from i2vkit.preparation.boxes import FirstFrameBox
from i2vkit.preparation.dlib_detector import INSTALL, DlibFaceDetector, dlib_installed
from i2vkit.preparation.face_maps import FaceMapMaker
from i2vkit.preparation.pipeline import Framing, RawClip, prepare_set

FaceChoice = Literal["only", "largest", "left", "right"]
FramingName = Literal["eyes", "box"]

# How much of the box of the last frame goes into that of the next, against a detector that jumps by some pixels.
_INERTIA = 0.5


class Detector(Protocol):
    """What finds faces in a frame, uint8 (H, W, 3). Boxes are x0, y0, x1, y1 in pixels."""

    def faces(self, frame: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
        """Boxes (N, 4) of all faces, or of those around the box ``near``, (4,)."""

    def landmarks(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Landmarks (68, 2) of the face in that box (4,)."""


@dataclass(frozen=True)
class FaceFinder:
    """Finds the landmarks of one face on every frame of a clip.

    ``which`` says whose face, where the first frame with a face shows several: "largest", "left" or "right" (in the
    picture), or "only", which skips such a clip. From there on it is the face nearest to where it was.
    """

    which: FaceChoice = "only"
    detector: Detector = field(default_factory=DlibFaceDetector)

    def __call__(self, clip: RawClip) -> dict[str, np.ndarray]:
        """Give ``{"landmarks": (T, 68, 2)}``, NaN on frames without the face.

        Raises ``DataError`` if there are more than ``LONGEST_GAP`` of these in a row, several faces to choose from, or
        frames that cannot be read.
        """
        landmarks: list[np.ndarray] = []
        box, missing = None, 0
        for number, frame in enumerate(clip.frames()):
            seen = self._start(frame, number) if box is None else self._follow(frame, box)
            if seen is None:
                missing += 1
                landmarks.append(np.full((68, 2), np.nan))
                if missing > LONGEST_GAP:
                    raise DataError(
                        f"no face was found in frames {number - LONGEST_GAP} to {number}; "
                        f"up to {LONGEST_GAP} frames in a row are bridged"
                    )
                continue
            box, missing = seen if box is None else _INERTIA * box + (1 - _INERTIA) * seen, 0
            landmarks.append(self.detector.landmarks(frame, box))
        if box is None:
            raise DataError(f"no face was found in any of its {len(landmarks)} frames")
        return {"landmarks": np.stack(landmarks)}

    def _start(self, frame: np.ndarray, number: int) -> np.ndarray | None:
        boxes = self.detector.faces(frame)
        # The chosen one is looked at as on later frames, so that its box does not change size after the first.
        return self._follow(frame, choose_face(boxes, self.which, number)) if len(boxes) else None

    def _follow(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        near = nearest_face(self.detector.faces(frame, box), box)
        return nearest_face(self.detector.faces(frame), box) if near is None else near


def choose_face(boxes: np.ndarray, which: FaceChoice, number: int = 0) -> np.ndarray:
    """One box (4,) of (N, 4); those less than half as wide as the largest, in the background, do not count.

    Raises ``DataError`` if there are several and only one was expected, on frame ``number``.

    >>> boxes = np.array([[10.0, 10.0, 50.0, 50.0], [90.0, 10.0, 140.0, 60.0], [60.0, 10.0, 70.0, 20.0]])
    >>> choose_face(boxes, "left").tolist()
    [10.0, 10.0, 50.0, 50.0]
    """
    widths = boxes[:, 2] - boxes[:, 0]
    boxes = boxes[widths >= widths.max() / 2]
    if which == "only" and len(boxes) > 1:
        raise DataError(f"{len(boxes)} faces on frame {number}: --face largest, left or right takes one of them")
    if which in ("left", "right"):
        return boxes[np.argsort(boxes[:, 0] + boxes[:, 2])[0 if which == "left" else -1]]
    return boxes[np.argmax(boxes[:, 2] - boxes[:, 0])]


def nearest_face(boxes: np.ndarray, last: np.ndarray) -> np.ndarray | None:
    """The box (4,) of (N, 4) nearest to where the face was last, (4,); None farther off than a face is wide."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.linalg.norm(centres - (last[:2] + last[2:]) / 2, axis=1)
    if not len(boxes) or distances.min() > last[2] - last[0]:
        return None
    return boxes[np.argmin(distances)]


def face_framing(name: FramingName, size: int, margin: float | None) -> Framing:
    """The framing of that name. Raises ``ConfigError`` on a margin that is no share or that it does not use."""
    if name == "eyes":
        if margin is not None:
            raise ConfigError("--margin belongs to --framing box; eyes are brought to fixed places")
        return EyeAlignment(size)
    if margin is None:
        return FirstFrameBox(size)
    if not 0 <= margin <= 2:
        raise ConfigError(f"--margin {margin}: a share of the box, from 0 to 2")
    return FirstFrameBox(size, margin)


def prepare_faces(
    name: str,
    index: ClipIndex,
    out: Path,
    framing: Framing,
    workers: int | None,
    face: FaceChoice,
    expected: str | Path,
    truth: Path,
    settings: dict | None = None,
    maps: FaceMapMaker | None = None,
) -> str:
    """``prepare_set`` for faces: landmarks that were not given are found.

    ``face`` is no setting of ``out``: another one there adds the clips that were skipped and leaves the others.
    ``expected`` is where the landmarks of a clip might lie, for the message that there are none.

    Raises ``DataError`` if no clip has landmarks and the extra that finds them is not installed; else as
    ``prepare_set``.
    """
    if not dlib_installed() and not any(_has_landmarks(record) for record in index.records):
        raise no_landmarks(expected)
    return prepare_set(name, index, out, framing, workers, truth, FaceFinder(face), settings, maps=maps)


def _has_landmarks(record: ClipRecord) -> bool:
    given = record.metadata.get("landmarks")
    return isinstance(given, np.ndarray) or (given is not None and Path(given).exists())


def no_landmarks(expected: str | Path) -> DataError:
    """Make the error for landmarks that are neither there nor can be found."""
    return DataError(
        f"no landmarks: looked for {expected} and the like. "
        "Give one CSV file a clip, one row a frame, with the header frame,x0,y0,x1,y1,... in pixels: 68 points in iBUG "
        "order, or 5 (eye on the left of the picture, eye on the right, nose, left and right corner of the mouth). "
        f"Or, {INSTALL}"
    )
