"""BAIR robot pushing, raw to prepared."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from i2vkit.datasets.readers.bair import TRUTH_CAMERA, Bair
from i2vkit.errors import DataError
from i2vkit.preparation.pipeline import RawClip, prepare_set

LABEL = "push"  # what is prepared has labels; all clips get the same


@dataclass(frozen=True)
class WholeFrame:
    """The whole of square frames, scaled to `size`."""

    size: int

    def __call__(self, clip: RawClip) -> np.ndarray:
        """See `Framing`; the map of the first frame serves all."""
        first = next(iter(clip.frames()), None)
        if first is None or first.shape[0] != first.shape[1]:
            raise DataError("it has no square frames")
        scale = self.size / len(first)
        shift = 0.5 * scale - 0.5  # corners come to corners, and pixel centres are whole numbers
        return np.array([[[scale, 0.0, shift], [0.0, scale, shift]]])


def prepare_bair(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    camera: Literal["aux1", "main"] = "aux1",
    split: Literal["train", "test"] | None = None,
) -> str:
    """Write the clips below `source` as PNG files, and the rendered truth where there is one, and index them in `out`.

    Training reads the TFRecord files as they are; this is for other sizes, and for looking at them.

    Args:
        source: The raw data, TFRecord files or SVG's PNG files.
        out: The prepared data: `train/traj_0_to_15/1/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the frames in pixels.
        workers: Processes; one a core by default.
        camera: Which of the two.
        split: Only these clips; both by default. Give each an `out` of its own to train on one and test on the other.

    Raises:
        ConfigError: A size below 16.
        DataError: No clips, none of that camera, `out` was prepared otherwise, or it cannot be written.
        MediaError: A file of records is cut.
    """
    index = Bair(str(source), camera, split).index()
    records = [replace(record, label=LABEL) for record in index.records]
    return prepare_set(
        "bair",
        replace(index, records=records, labels=[LABEL]),
        out,
        WholeFrame(size),
        workers,
        truth=source / "truth" if camera == TRUTH_CAMERA and split != "train" else None,
        settings={"camera": camera, "split": split},
    )
