"""Preparation of clips of faces: detection of landmarks if none are given, and the choice of a framing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.point_files import LONGEST_GAP
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.alignment import EyeAlignment
from i2vkit.preparation.boxes import BoxPerFrame, FirstFrameBox
from i2vkit.preparation.dlib_detector import INSTALL, DlibFaceDetector, dlib_installed
from i2vkit.preparation.face_maps import FaceMapMaker
from i2vkit.preparation.pipeline import Framing, RawClip, prepare_set

FaceChoice = Literal["only", "largest", "left", "right"]
FramingName = Literal["eyes", "box", "box_per_frame"]

# The weight of the last frame's box in that of the next frame. It damps a detector that jumps by some pixels.
_INERTIA = 0.5


class Detector(Protocol):
    """The interface of face detectors. Frames are uint8 (H, W, 3), and boxes are x0, y0, x1, y1 in pixels."""

    def faces(self, frame: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
        """Return the boxes (N, 4) of all faces, or of those around the box ``near`` (4,)."""

    def landmarks(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Return the landmarks (68, 2) of the face in a box (4,)."""


@dataclass(frozen=True)
class FaceFinder:
    """A function object that finds the landmarks of one face on every frame of a clip.

    Args:
        which: The face to follow if the first frame with a face shows several: "largest", "left" or "right" (in the
            picture). "only" raises an error for such a clip. On later frames it is the face nearest to the last
            position.
        detector: The face detector, dlib's by default.
    """

    which: FaceChoice = "only"
    detector: Detector = field(default_factory=DlibFaceDetector)

    def __call__(self, clip: RawClip) -> dict[str, np.ndarray]:
        """Return ``{"landmarks": (T, 68, 2)}``, NaN on frames without the face.

        Raises:
            DataError: More than ``LONGEST_GAP`` frames in a row lack the face, there are several faces and ``which`` is
                "only", or frames cannot be read.
        """
        landmarks: list[np.ndarray] = []
        box, missing = None, 0
        for number, frame in enumerate(clip.frames()):
            # Until the first frame with a face there is nothing to follow.
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
            # Detectors jump by some pixels, so the box is smoothed over time.
            box, missing = seen if box is None else _INERTIA * box + (1 - _INERTIA) * seen, 0
            landmarks.append(self.detector.landmarks(frame, box))
        if box is None:
            raise DataError(f"no face was found in any of its {len(landmarks)} frames")
        return {"landmarks": np.stack(landmarks)}

    def _start(self, frame: np.ndarray, number: int) -> np.ndarray | None:
        """Choose the face to follow on the first frame that shows one. Return its box, or None."""
        boxes = self.detector.faces(frame)
        # The chosen face is detected again as on later frames, so that its box keeps its size after the first frame.
        return self._follow(frame, choose_face(boxes, self.which, number)) if len(boxes) else None

    def _follow(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        """Return the box of the face nearest to ``box``, searched around it and then in the whole frame, or None."""
        # Searching around the last box is much faster, and usually enough.
        near = nearest_face(self.detector.faces(frame, box), box)
        return nearest_face(self.detector.faces(frame), box) if near is None else near


def choose_face(boxes: np.ndarray, which: FaceChoice, number: int = 0) -> np.ndarray:
    """Choose one box (4,) of (N, 4). Faces less than half as wide as the largest count as background and are ignored.

    Args:
        boxes: The boxes.
        which: The face to choose, see ``FaceFinder``.
        number: The number of the frame, for the message.

    Raises:
        DataError: There are several faces and ``which`` is "only".

    >>> boxes = np.array([[10.0, 10.0, 50.0, 50.0], [90.0, 10.0, 140.0, 60.0], [60.0, 10.0, 70.0, 20.0]])
    >>> choose_face(boxes, "left").tolist()
    [10.0, 10.0, 50.0, 50.0]
    """
    widths = boxes[:, 2] - boxes[:, 0]
    boxes = boxes[widths >= widths.max() / 2]
    if which == "only" and len(boxes) > 1:
        raise DataError(f"{len(boxes)} faces on frame {number}: choose one with --face largest, left or right")
    if which in ("left", "right"):
        return boxes[np.argsort(boxes[:, 0] + boxes[:, 2])[0 if which == "left" else -1]]
    return boxes[np.argmax(boxes[:, 2] - boxes[:, 0])]


def nearest_face(boxes: np.ndarray, last: np.ndarray) -> np.ndarray | None:
    """Return the box (4,) of (N, 4) nearest to the last one, or None if all are farther away than a face is wide."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.linalg.norm(centres - (last[:2] + last[2:]) / 2, axis=1)
    if not len(boxes) or distances.min() > last[2] - last[0]:
        return None
    return boxes[np.argmin(distances)]


def face_framing(name: FramingName, size: int, margin: float | None) -> Framing:
    """Return the framing with that name.

    Args:
        name: "eyes", "box" or "box_per_frame".
        size: The side of the prepared frames in pixels.
        margin: The margin of a box, as a share of it. None uses its default.

    Raises:
        ConfigError: The margin is not between 0 and 2, or ``name`` is "eyes", which has no margin.
    """
    if name == "eyes":
        if margin is not None:
            raise ConfigError("--margin belongs to --framing box; --framing eyes has no margin")
        return EyeAlignment(size)
    kind = FirstFrameBox if name == "box" else BoxPerFrame
    if margin is None:
        return kind(size)
    if not 0 <= margin <= 2:
        raise ConfigError(f"--margin {margin}: it must be a share of the box, from 0 to 2")
    return kind(size, margin)


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
    """Prepare a set of faces with ``prepare_set``, and find landmarks that were not given.

    Args:
        name: The name of the set.
        index: The raw clips.
        out: The prepared root.
        framing: See ``Framing``.
        workers: The number of processes.
        face: The face to follow, see ``FaceFinder``. It is not stored as a setting of ``out``: a run with another value
            adds clips that were skipped and leaves the others as they are.
        expected: A path at which landmarks could be, for the message that there are none.
        truth: The exact ground truth, see ``prepare_set``.
        settings: Other settings, see ``prepare_set``.
        maps: The maker of condition maps.

    Raises:
        DataError: No clip has landmarks and the optional dependency that finds them is not installed. Otherwise as
            ``prepare_set``.
    """
    if not dlib_installed() and not any(_has_landmarks(record) for record in index.records):
        raise no_landmarks(expected)
    return prepare_set(name, index, out, framing, workers, truth, FaceFinder(face), settings, maps=maps)


def _has_landmarks(record: ClipRecord) -> bool:
    """Return whether a clip has landmarks, in memory or in a file."""
    given = record.metadata.get("landmarks")
    return isinstance(given, np.ndarray) or (given is not None and Path(given).exists())


def no_landmarks(expected: str | Path) -> DataError:
    """Return the error for landmarks that are neither given nor can be found."""
    return DataError(
        f"no landmarks: looked for {expected} and the like. "
        "Give one CSV file a clip, one row a frame, with the header frame,x0,y0,x1,y1,... in pixels: 68 points in iBUG "
        "order, or 5 (eye on the left of the picture, eye on the right, nose, left and right corner of the mouth). "
        f"Or, {INSTALL}"
    )
