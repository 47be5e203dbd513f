"""Writing of landmark files. `i2vkit.datasets.point_files` reads them and fills gaps."""

from pathlib import Path

import numpy as np

from i2vkit.preparation.jobs import write_table


def write_landmarks(path: Path, landmarks: np.ndarray, first: int = 0) -> None:
    """Write landmarks (T, N, 2) as CSV with the header `frame,x0,y0,x1,...`, rounded to a thousandth of a pixel.

    Args:
        path: The file to write.
        landmarks: (T, N, 2), in pixels.
        first: The number of the first frame.
    """
    names = [f"{axis}{point}" for point in range(landmarks.shape[1]) for axis in "xy"]
    rows = [
        [frame, *(f"{value:.3f}" for value in row)]
        # (T, N, 2) -> (T, 2N): x0, y0, x1, y1, ...
        for frame, row in enumerate(landmarks.reshape(len(landmarks), -1), start=first)
    ]
    write_table(path, ["frame", *names], rows)
