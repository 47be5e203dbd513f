"""Preparation of BAIR robot pushing."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from i2vkit.datasets.readers.bair import TRUTH_CAMERA, Bair
from i2vkit.errors import DataError
from i2vkit.preparation.pipeline import RawClip, prepare_set

LABEL = "push"  # the prepared layout needs a label, so all clips get the same


@dataclass(frozen=True)
class WholeFrame:
    """A framing that keeps the whole of square frames, scaled to `size`."""

    size: int

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the single transform (1, 2, 3). Raise `DataError` if the frames are not square."""
        first = next(iter(clip.frames()), None)
        if first is None or first.shape[0] != first.shape[1]:
            raise DataError("it has no square frames")
        scale = self.size / len(first)
        shift = 0.5 * scale - 0.5  # maps corners to corners although pixel centres are whole numbers
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
    """Write the clips below `source` as PNG files, with the rendered truth if there is one, and index them in `out`.

    Training can read the TFRecord files directly. Prepare the set if you need another size or want to look at the
    clips.

    Args:
        source: The raw data, TFRecord files or SVG's PNG files.
        out: The prepared data: `train/traj_0_to_15/1/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the frames in pixels.
        workers: Number of processes. By default one for each core.
        camera: The camera, one of the two.
        split: Only these clips. Both splits by default. To train on one and test on the other, give each its own `out`.

    Raises:
        ConfigError: The size is below 16.
        DataError: There are no clips or none of that camera, `out` was prepared with other settings, or it cannot be
            written.
        MediaError: A TFRecord file is cut.
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
