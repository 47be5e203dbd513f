"""Points of faces and bodies: their files, gaps in them, and which points change places in a mirror."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.formats.tables import read_text
from i2vkit.datasets.frame_sources import FrameFolder, FrameSpan
from i2vkit.errors import DataError

POINTS = ("landmarks", "joints")
LONGEST_GAP = 5  # frames. In a longer gap a face may have moved anywhere
# Landmarks in iBUG order, landmarks of eyes, nose and corners of the mouth, and Penn Action's joints.
COUNTS = (68, 5, 13)

# Points that change places in a mirrored picture. The others stay.
_PAIRS = {
    5: [(0, 1), (3, 4)],
    13: [(left, left + 1) for left in range(1, 13, 2)],
    68: [
        *((left, 16 - left) for left in range(8)),  # jaw
        *((left, 43 - left) for left in range(17, 22)),  # brows
        *((31, 35), (32, 34)),  # nostrils
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),  # eyes
        *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),  # outer lips
        *((60, 64), (61, 63), (65, 67)),  # inner lips
    ],
}


def mirror_order(count: int) -> list[int]:
    """Return which point takes each place when a picture with ``count`` points is mirrored.

    Args:
        count: 68, 5 or 13.

    Raises:
        DataError: Another number of points, whose meaning is not known.

    >>> mirror_order(5)
    [1, 0, 2, 4, 3]
    """
    if count not in _PAIRS:
        raise DataError(f"which of {count} points change places in a mirror is not known, only of 68, 5 or 13")
    order = list(range(count))
    for one, other in _PAIRS[count]:
        order[one], order[other] = other, one
    return order


def points_of(record: ClipRecord, name: str) -> np.ndarray | None:
    """Return the points (T, N, 2) of all frames of a clip, or its boxes (T, 4).

    Args:
        record: A clip whose ``metadata`` holds an array, or the path of a CSV file. The file is read at every call.
        name: "landmarks", "joints" or "boxes".

    Returns:
        The array, or None if the clip has none of that name.

    Raises:
        DataError: There is no such file, it cannot be read, or the number of its rows is not that of the frames.
    """
    given = record.metadata.get(name)
    if given is None:
        return None
    if isinstance(span := record.frames, FrameSpan):
        all_points = points_of(replace(record, frames=span.source, num_frames=span.length), name)
        assert all_points is not None  # the clip it is cut from has the same metadata
        return all_points[span.start : span.stop]
    if not isinstance(given, np.ndarray):
        if not Path(given).is_file():
            raise DataError(f"clip {record.name}: there is no file {given}, which should hold its {name}")
        # A box is written as two points, its corners.
        given = read_points(Path(given), frame_numbers(record), counts=(2,) if name == "boxes" else COUNTS)
        # (T, 2, 2) -> (T, 4)
        given = given.reshape(-1, 4) if name == "boxes" else given
    places = (4,) if name == "boxes" else (*given.shape[1:2], 2)
    if given.shape != (record.num_frames, *places):
        raise DataError(f"clip {record.name}: {name} {given.shape} do not fit {record.num_frames} frames")
    return given


def frame_numbers(record: ClipRecord) -> Sequence[int]:
    """Return the numbers of a clip's frames in files of points: those in the names of their files, or their places.

    Raises:
        DataError: A file name has no number.
    """
    if not isinstance(record.frames, FrameFolder):
        return range(record.num_frames)
    return [_number(path) for path in record.frames.paths]


def _number(path: Path) -> int:
    digits = "".join(c for c in path.stem if c.isdigit())
    if not digits:
        raise DataError(f"{path.name} has no frame number")
    return int(digits)


def read_points(path: Path, frames: Sequence[int], counts: Sequence[int] = COUNTS) -> np.ndarray:
    """Read the points (T, N, 2) of the frames with these numbers. A frame without a row, or with an empty one, is NaN.

    Raises:
        DataError: The header is not ``frame,x0,y0,...`` with one of ``counts`` points, a value is no number, or there
            are rows of frames that do not exist. The last means that file and frames are numbered differently.
    """
    header, *rows = list(csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)) or [[]]
    points = (len(header) - 1) // 2
    expected = ["frame", *(f"{axis}{point}" for point in range(points) for axis in "xy")]
    if points not in counts or [name.strip() for name in header] != expected:
        known = " or ".join(map(str, counts))
        raise DataError(
            f"{path}: the header must be frame,x0,y0,x1,... with {known} points, found {','.join(header)[:60]!r}"
        )
    by_number: dict[int, np.ndarray] = {}
    for line, row in enumerate(rows, start=2):
        try:
            place = np.array([float(value or "nan") for value in row[1:]]).reshape(points, 2)
            if np.isinf(place).any():
                raise ValueError("a point lies at infinity")
            by_number[int(row[0])] = place
        except (ValueError, IndexError) as error:
            raise DataError(f"{path}, line {line}: {error}") from error
    if unknown := sorted(set(by_number) - set(frames)):
        raise DataError(
            f"{path} has points of frame {unknown[0]}, which does not exist: the frames are {min(frames)} to "
            f"{max(frames)}, by the number in their names"
        )
    missing = np.full((points, 2), np.nan)
    return np.stack([by_number.get(number, missing) for number in frames])  # T times (N, 2) -> (T, N, 2)


def fill_gaps(landmarks: np.ndarray, what: str = "landmarks") -> tuple[np.ndarray, int]:
    """Fill in missing landmarks (T, N, 2), and count the frames that were filled in.

    Short gaps are bridged linearly. At the ends the nearest frame is repeated.

    Args:
        landmarks: (T, N, 2), NaN where unknown.
        what: Name of the points in the error message. Default "landmarks".

    Raises:
        DataError: A gap is longer than ``LONGEST_GAP`` frames.

    >>> filled, number = fill_gaps(np.array([[[0.0, 0.0]], [[np.nan, np.nan]], [[4.0, 2.0]]]))
    >>> filled[1].tolist(), number
    ([[2.0, 1.0]], 1)
    """
    known = np.isfinite(landmarks).all(axis=(1, 2))
    longest = max((len(run) for run in "".join("x" if k else "." for k in known).split("x")), default=0)
    if longest > LONGEST_GAP or not known.any():
        raise DataError(f"{longest} frames in a row have no {what}; up to {LONGEST_GAP} are filled in")
    frames = np.arange(len(landmarks))
    flat = landmarks.reshape(len(landmarks), -1)  # (T, N, 2) -> (T, 2 * N), each column a coordinate over time
    # Each coordinate over time, 2 * N times (T,) -> (T, 2 * N)
    filled = np.stack([np.interp(frames, frames[known], column[known]) for column in flat.T], axis=1)
    return filled.reshape(landmarks.shape), int((~known).sum())  # (T, 2 * N) -> (T, N, 2)
