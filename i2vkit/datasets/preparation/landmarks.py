"""Landmark files: one CSV file a clip, one row a frame, 68 points in iBUG order or 5 points, in pixels."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2vkit.datasets.preparation.jobs import write_table
from i2vkit.errors import DataError

POINTS = (68, 5)
LONGEST_GAP = 5  # frames; over longer gaps a face may have moved anywhere


def write_landmarks(path: Path, landmarks: np.ndarray) -> None:
    """Write landmarks (T, N, 2) with a thousandth of a pixel, header `frame,x0,y0,x1,...`."""
    names = [f"{axis}{point}" for point in range(landmarks.shape[1]) for axis in "xy"]
    rows = [
        [frame, *(f"{value:.3f}" for value in row)] for frame, row in enumerate(landmarks.reshape(len(landmarks), -1))
    ]
    write_table(path, ["frame", *names], rows)


def read_landmarks(path: Path, frames: Sequence[int]) -> np.ndarray:
    """Landmarks (T, N, 2) of the frames with these numbers; NaN where the file has no row or an empty one.

    Raises:
        DataError: Another header than `frame,x0,y0,...` with 68 or 5 points, a value that is no number, or rows of
            frames that do not exist, which would mean that file and frames are numbered differently.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = list(csv.reader(file, skipinitialspace=True)) or [[]]
    points = (len(header) - 1) // 2
    expected = ["frame", *(f"{axis}{point}" for point in range(points) for axis in "xy")]
    if points not in POINTS or [name.strip() for name in header] != expected:
        raise DataError(
            f"{path}: the header must be frame,x0,y0,x1,... with 68 or 5 points, found {','.join(header)[:60]!r}"
        )
    by_number: dict[int, np.ndarray] = {}
    for line, row in enumerate(rows, start=2):
        try:
            by_number[int(row[0])] = np.array([float(value or "nan") for value in row[1:]]).reshape(points, 2)
        except (ValueError, IndexError) as error:
            raise DataError(f"{path}, line {line}: {error}") from error
    if unknown := sorted(set(by_number) - set(frames)):
        raise DataError(
            f"{path} has landmarks of frame {unknown[0]}, which does not exist: the frames are {min(frames)} to "
            f"{max(frames)}, by the number in their names"
        )
    missing = np.full((points, 2), np.nan)
    return np.stack([by_number.get(number, missing) for number in frames])


def fill_gaps(landmarks: np.ndarray) -> tuple[np.ndarray, int]:
    """Landmarks (T, N, 2) without NaN, and how many frames were filled in.

    Short gaps are bridged linearly; at the ends the nearest frame is repeated.

    Raises:
        DataError: A gap of more than `LONGEST_GAP` frames.

    >>> filled, number = fill_gaps(np.array([[[0.0, 0.0]], [[np.nan, np.nan]], [[4.0, 2.0]]]))
    >>> filled[1].tolist(), number
    ([[2.0, 1.0]], 1)
    """
    known = np.isfinite(landmarks).all(axis=(1, 2))
    longest = max((len(run) for run in "".join("x" if k else "." for k in known).split("x")), default=0)
    if longest > LONGEST_GAP or not known.any():
        raise DataError(f"{longest} frames in a row have no landmarks; up to {LONGEST_GAP} are filled in")
    frames = np.arange(len(landmarks))
    flat = landmarks.reshape(len(landmarks), -1)
    filled = np.stack([np.interp(frames, frames[known], column[known]) for column in flat.T], axis=1)
    return filled.reshape(landmarks.shape), int((~known).sum())
