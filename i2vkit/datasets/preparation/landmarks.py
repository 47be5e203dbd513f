"""Landmarks written, and their gaps filled; `i2vkit.datasets.points` reads them."""

from pathlib import Path

import numpy as np

from i2vkit.datasets.preparation.jobs import write_table
from i2vkit.errors import DataError

LONGEST_GAP = 5  # frames; over longer gaps a face may have moved anywhere


def write_landmarks(path: Path, landmarks: np.ndarray, first: int = 0) -> None:
    """Write landmarks (T, N, 2) with a thousandth of a pixel, header `frame,x0,y0,x1,...`, from frame `first` on."""
    names = [f"{axis}{point}" for point in range(landmarks.shape[1]) for axis in "xy"]
    rows = [
        [frame, *(f"{value:.3f}" for value in row)]
        for frame, row in enumerate(landmarks.reshape(len(landmarks), -1), start=first)
    ]
    write_table(path, ["frame", *names], rows)


def fill_gaps(landmarks: np.ndarray, what: str = "landmarks") -> tuple[np.ndarray, int]:
    """Landmarks (T, N, 2) without NaN, and how many frames were filled in.

    Short gaps are bridged linearly; at the ends the nearest frame is repeated. `what` they are stands in the message.

    Raises:
        DataError: A gap of more than `LONGEST_GAP` frames.

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
