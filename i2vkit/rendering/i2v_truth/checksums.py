"""Is it the same set? Checksums that other versions of the libraries leave as they are, unless they draw otherwise.

Pixels of resized pictures may differ by one or two of 256 between versions of OpenCV, so that a hash of them says
nothing. Points (landmarks, joints) are hashed after they were rounded to half a pixel, which is what a motion is; of
the pictures the mean colours of a grid are kept, and may be off by ``TOLERANCE``.
"""

import hashlib
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.formats.folders import read_table
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.preparation.jobs import write_table
from i2vkit.rendering.i2v_truth.parts import BenchmarkPart

FOLDER = Path(__file__).parent
COLUMNS = ("clip", "num_frames", "points", "colours")
TOLERANCE = 2  # of 256
GRID = 2


def checksums(root: Path) -> dict[str, tuple[str, str, str]]:
    """Of every clip of a prepared part and of its ground truth, by name: number of frames, of points, of colours."""
    found = {}
    for prefix, folder in (("", root), ("truth/", root / "truth")):
        for record in ClipFolder(str(folder)).index().records:
            found[prefix + record.name] = clip_sums(record)
    return found


def clip_sums(record: ClipRecord) -> tuple[str, str, str]:
    """Of one clip: number of frames, of points, of colours."""
    frames = record.frames.read(range(record.num_frames))
    points = points_of(record, "landmarks" if "landmarks" in record.metadata else "joints")
    return str(record.num_frames), points_hash(points), colours(frames)


def points_hash(points: np.ndarray) -> str:
    """Twelve digits of the SHA-256 of points (T, N, 2), rounded to half a pixel.

    >>> points = np.array([[[3.1, 4.1]]])
    >>> points_hash(points) == points_hash(points + 0.01), points_hash(points) == points_hash(points + 1)
    (True, False)
    """
    return hashlib.sha256(np.rint(2 * points).astype("<i4").tobytes()).hexdigest()[:12]


def colours(frames: np.ndarray) -> str:
    """Mean colours of the quarters of the first frame and of the mean over all frames, of frames uint8 (T, H, W, 3).

    >>> colours(np.full((2, 4, 4, 3), 255, np.uint8))[:6]
    'ffffff'
    """
    pictures = np.stack([frames[0].astype(np.float64), frames.mean(axis=0)])
    _, height, width, _ = pictures.shape
    quarters = pictures.reshape(2, GRID, height // GRID, GRID, width // GRID, 3).mean(axis=(2, 4))
    return np.rint(quarters).astype(np.uint8).tobytes().hex()


def write_checksums(part: BenchmarkPart, root: Path) -> None:
    """Write the checksums of a part that was made: for whoever defines a new version, and only then."""
    rows = [[name, *sums] for name, sums in checksums(root).items()]
    write_table(FOLDER / f"{part.name}.csv", COLUMNS, rows)


def compare_part(part: BenchmarkPart, root: Path) -> list[str]:
    """What differs between the part prepared in ``root`` and its checksums, a line a clip; nothing where it is it."""
    rows = read_table(FOLDER / f"{part.name}.csv", COLUMNS)
    expected = {row["clip"]: tuple(row[column] for column in COLUMNS[1:]) for row in rows}
    found = checksums(root)
    return [
        f"{part.name}: clip {name}: {reason}"
        for name in sorted(expected.keys() | found.keys())
        if (reason := difference(expected.get(name), found.get(name)))
    ]


def difference(expected: tuple[str, str, str] | None, found: tuple[str, str, str] | None) -> str:
    """In what two clips differ, in words; empty if they are the same."""
    if expected is None or found is None:
        return "it is not there" if found is None else "it does not belong there"
    if expected[0] != found[0]:
        return f"it has {found[0]} frames, not {expected[0]}"
    if expected[1] != found[1]:
        return "somebody moves otherwise (landmarks or joints)"
    far = max(abs(a - b) for a, b in zip(*(bytes.fromhex(sums[2]) for sums in (expected, found)), strict=True))
    return f"mean colours are off by up to {far} of 256" if far > TOLERANCE else ""
