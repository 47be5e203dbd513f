"""Preparation of NATOPS."""

from pathlib import Path

from i2vkit.datasets.formats.folders import find_sidecar_folder
from i2vkit.datasets.frame_sources import VideoSegment
from i2vkit.datasets.readers.natops import Natops
from i2vkit.preparation.person_crops import FixedBox, Square
from i2vkit.preparation.pipeline import prepare_set

# The crop that other work uses: rows 10 to 238 and columns 30 to 289 of 320x240.
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
    """Crop the person in all repeats below `source`, and in the rendered truth if there is one.

    Each video is decoded once, from its first frame on.

    Args:
        source: The raw data, or a folder above `data/`.
        out: The prepared data: `s01/gesture01/g01s01r01/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels.
        workers: Number of processes. By default one for each core.
        square: The usual crop is 260 wide and 229 high. "pad" makes it 260x260 and repeats the lower edge of the
            picture. "cut" makes it 229x229, which cuts off the hands of spread arms.
        repeats: Number of repeats that a video must hold. Other videos are skipped.

    Raises:
        ConfigError: The size is below 16.
        DataError: There are no clips or no table of the repeats, `out` was prepared with other settings, or it cannot
            be written.
    """
    index = Natops(str(source), repeats).index()
    first = index.records[0].frames
    assert isinstance(first, VideoSegment)  # a repeat within a video
    return prepare_set(
        "natops",
        index,
        out,
        FixedBox(size, BOX, PICTURE, square),
        workers,
        truth=find_sidecar_folder(first.path, source, "truth"),
        # All repeats of a video go to one process, which decodes the video once.
        chunk=repeats,
    )
