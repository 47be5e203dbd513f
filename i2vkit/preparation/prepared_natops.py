"""NATOPS, raw to prepared."""

from pathlib import Path

from i2vkit.datasets.formats.folders import find_sidecar_folder
from i2vkit.datasets.readers.natops import Natops
from i2vkit.preparation.person_crops import FixedBox, Square
from i2vkit.preparation.pipeline import prepare_set

# The part of the picture that others take, rows 10 to 238 and columns 30 to 289 of 320x240.
BOX, PICTURE = (30, 10, 290, 239), (320, 240)


def prepare_natops(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    square: Square = "pad",
    repeats: int = 20,
) -> str:
    """Cut the person out of all repeats below `source`, and of the rendered truth where there is one.

    Each video is decoded once, from its first frame on.

    Args:
        source: The raw data, or a folder above `data/`.
        out: The prepared data: `s01/gesture01/g01s01r01/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels.
        workers: Processes; one a core by default.
        square: The usual crop is 260 wide and 229 high. "pad" makes it 260x260, beyond the picture its lower edge goes
            on; "cut" makes it 229x229, which costs spread arms their hands.
        repeats: How many a video must hold; others are skipped.

    Raises:
        ConfigError: A size below 16.
        DataError: No clips, no table of the repeats, `out` was prepared otherwise, or it cannot be written.
    """
    index = Natops(str(source), repeats).index()
    return prepare_set(
        "natops",
        index,
        out,
        FixedBox(size, BOX, PICTURE, square),
        workers,
        truth=find_sidecar_folder(index.records[0].frames.path, source, "truth"),
        chunk=repeats,
    )
