"""Points of faces and bodies beside the frames: files, gaps, and which points change places in a mirror."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord, FrameFolder, FrameSpan
from i2vkit.errors import DataError

POINTS = ("landmarks", "joints")
LONGEST_GAP = 5  # frames; over longer gaps a face may have moved anywhere
COUNTS = (68, 5, 13)  # landmarks in iBUG order; eyes, nose, corners of the mouth; Penn Action's joints

# What stands at each place of a mirrored picture's points: pairs change places, the others stay.
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
    """Which point takes each place when a picture with ``count`` (68, 5 or 13) points is mirrored.

    Raises ``DataError`` for another number of points, whose meaning is not known.

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
    """The points (T, N, 2) of all frames of a clip, or its boxes (T, 4); None where it has none of that name.

    Args:
        record: Holds them in ``metadata``, as an array or as the path of a CSV file, which is read anew each time.
        name: "landmarks", "joints" or "boxes".

    Raises:
        DataError: There is no such file, it cannot be read as such, or there are not as many rows as frames.
    """
    given = record.metadata.get(name)
    if given is None:
        return None
    if isinstance(span := record.frames, FrameSpan):
        whole = replace(record, frames=span.source, num_frames=span.length)
        return points_of(whole, name)[span.start : span.stop]
    if not isinstance(given, np.ndarray):
        if not Path(given).is_file():
            raise DataError(f"clip {record.name}: its {name} are to be in {given}, where there is no file")
        # A box is written as two points, its corners.
        given = read_points(Path(given), frame_numbers(record), counts=(2,) if name == "boxes" else COUNTS)
        given = given.reshape(-1, 4) if name == "boxes" else given
    places = (4,) if name == "boxes" else (*given.shape[1:2], 2)
    if given.shape != (record.num_frames, *places):
        raise DataError(f"clip {record.name}: {name} {given.shape} do not fit {record.num_frames} frames")
    return given


def frame_numbers(record: ClipRecord) -> Sequence[int]:
    """The numbers of a clip's frames in files of points: those in the names of their files, or their places.

    Raises ``DataError`` if only a part of the names has a number.
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
    """Points (T, N, 2) of the frames with these numbers; NaN where the file has no row or an empty one.

    Raises:
        DataError: Another header than ``frame,x0,y0,...`` with one of ``counts`` points, a value that is no number, or
            rows of frames that do not exist, which would mean that file and frames are numbered differently.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = list(csv.reader(file, skipinitialspace=True)) or [[]]
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
            by_number[int(row[0])] = np.array([float(value or "nan") for value in row[1:]]).reshape(points, 2)
        except (ValueError, IndexError) as error:
            raise DataError(f"{path}, line {line}: {error}") from error
    if unknown := sorted(set(by_number) - set(frames)):
        raise DataError(
            f"{path} has points of frame {unknown[0]}, which does not exist: the frames are {min(frames)} to "
            f"{max(frames)}, by the number in their names"
        )
    missing = np.full((points, 2), np.nan)
    return np.stack([by_number.get(number, missing) for number in frames])


def fill_gaps(landmarks: np.ndarray, what: str = "landmarks") -> tuple[np.ndarray, int]:
    """Landmarks (T, N, 2) without NaN, and how many frames were filled in.

    Short gaps are bridged linearly; at the ends the nearest frame is repeated. ``what`` they are stands in the message.

    Raises:
        DataError: A gap of more than ``LONGEST_GAP`` frames.

    >>> filled, number = fill_gaps(np.array([[[0.0, 0.0]], [[np.nan, np.nan]], [[4.0, 2.0]]]))
    >>> filled[1].tolist(), number
    ([[2.0, 1.0]], 1)
    """
    known = np.isfinite(landmarks).all(axis=(1, 2))
    longest = max((len(run) for run in "".join("x" if k else "." for k in known).split("x")), default=0)
    if longest > LONGEST_GAP or not known.any():
        raise DataError(f"{longest} frames in a row have no {what}; up to {LONGEST_GAP} are filled in")
    frames = np.arange(len(landmarks))
    flat = landmarks.reshape(len(landmarks), -1)
    filled = np.stack([np.interp(frames, frames[known], column[known]) for column in flat.T], axis=1)
    return filled.reshape(landmarks.shape), int((~known).sum())
