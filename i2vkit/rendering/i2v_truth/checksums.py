"""Checksums that verify a copy of i2v-truth-v1 and tolerate small differences between versions of the libraries.

Pixels of resized pictures may differ by one or two of 256 between versions of OpenCV, so a hash of pictures is useless.
Instead points (landmarks, joints) are rounded to half a pixel and hashed, which verifies the motion. Of the pictures
the mean colours of a grid are kept, which may differ by ``TOLERANCE``.
"""

import hashlib
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.formats.tables import read_rows
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.preparation.jobs import write_table
from i2vkit.rendering.i2v_truth.parts import BenchmarkPart

FOLDER = Path(__file__).parent
COLUMNS = ("clip", "num_frames", "points", "colours")
TOLERANCE = 2  # greatest difference of a mean colour, of 256
GRID = 2  # cells of the grid of mean colours, each way


def checksums(root: Path) -> dict[str, tuple[str, str, str]]:
    """Return the checksums of all clips of a prepared part and of its ground truth, by name, as ``clip_sums`` does."""
    found = {}
    for prefix, folder in (("", root), ("truth/", root / "truth")):
        for record in ClipFolder(str(folder)).index().records:
            found[prefix + record.name] = clip_sums(record)
    return found


def clip_sums(record: ClipRecord) -> tuple[str, str, str]:
    """Return the checksums of one clip: its number of frames, the hash of its points, and its mean colours."""
    frames = record.frames.read(range(record.num_frames))
    points = points_of(record, "landmarks" if "landmarks" in record.metadata else "joints")
    assert points is not None  # every clip of the set has landmarks or joints
    return str(record.num_frames), points_hash(points), colours(frames)


def points_hash(points: np.ndarray) -> str:
    """Return twelve digits of the SHA-256 of points (T, N, 2), rounded to half a pixel.

    >>> points = np.array([[[3.1, 4.1]]])
    >>> points_hash(points) == points_hash(points + 0.01), points_hash(points) == points_hash(points + 1)
    (True, False)
    """
    return hashlib.sha256(np.rint(2 * points).astype("<i4").tobytes()).hexdigest()[:12]


def colours(frames: np.ndarray) -> str:
    """Return the mean colours of the quarters of two pictures, as hexadecimal digits.

    The pictures are the first frame and the mean of all frames, uint8 (T, H, W, 3).

    >>> colours(np.full((2, 4, 4, 3), 255, np.uint8))[:6]
    'ffffff'
    """
    pictures = np.stack([frames[0].astype(np.float64), frames.mean(axis=0)])
    _, height, width, _ = pictures.shape
    # (2, H, W, 3) -> (2, GRID, H / GRID, GRID, W / GRID, 3) -> (2, GRID, GRID, 3)
    quarters = pictures.reshape(2, GRID, height // GRID, GRID, width // GRID, 3).mean(axis=(2, 4))
    return np.rint(quarters).astype(np.uint8).tobytes().hex()


def write_checksums(part: BenchmarkPart, root: Path) -> None:
    """Write the checksums of a part. Call this only to define a new version of the set."""
    rows = [[name, *sums] for name, sums in checksums(root).items()]
    write_table(FOLDER / f"{part.name}.csv", COLUMNS, rows)


def compare_part(part: BenchmarkPart, root: Path) -> list[str]:
    """Return the differences between the part prepared in ``root`` and its checksums, one line for each clip."""
    rows = read_rows(FOLDER / f"{part.name}.csv", COLUMNS)
    expected = {row["clip"]: (row["num_frames"], row["points"], row["colours"]) for row in rows}
    found = checksums(root)
    return [
        f"{part.name}: clip {name}: {reason}"
        for name in sorted(expected.keys() | found.keys())
        if (reason := difference(expected.get(name), found.get(name)))
    ]


def difference(expected: tuple[str, str, str] | None, found: tuple[str, str, str] | None) -> str:
    """Return the difference between two clips as a text, which is empty if they are the same."""
    if expected is None or found is None:
        return "it is missing" if found is None else "it is not part of the set"
    if expected[0] != found[0]:
        return f"it has {found[0]} frames, not {expected[0]}"
    if expected[1] != found[1]:
        return "the motion differs (landmarks or joints)"
    # Colours are compared byte by byte with a tolerance.
    far = max(abs(a - b) for a, b in zip(*(bytes.fromhex(sums[2]) for sums in (expected, found)), strict=True))
    return f"mean colours are off by up to {far} of 256" if far > TOLERANCE else ""
