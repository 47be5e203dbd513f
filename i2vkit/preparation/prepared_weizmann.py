"""Preparation of the original videos of Weizmann."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.formats.folders import files_below, find_sidecar_folder
from i2vkit.datasets.formats.matlab import read_mat
from i2vkit.datasets.frame_sources import VideoFile
from i2vkit.datasets.readers.weizmann import DEPTH, MASKS, Weizmann
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.person_crops import FixedBox, PersonCrop, silhouette_boxes
from i2vkit.preparation.pipeline import prepare_set

# The numbers of silhouettes and frames of a clip may differ by this share. Missing silhouettes are interpolated.
_TOLERANCE = 0.1


def prepare_weizmann(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    framing: Literal["person", "whole"] = "person",
    margin: float = 0.25,
    second_takes: bool = False,
    masks: Path | None = None,
) -> str:
    """Crop the person in all clips below `source`, and in the rendered truth if there is one.

    Args:
        source: The raw videos, or a folder above them.
        out: The prepared data: `daria/bend/daria_bend/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels.
        workers: Number of processes. By default one for each core.
        framing: "person" follows the person with a square of one size for each clip. "whole" scales the whole picture
            and repeats its upper and lower edges.
        margin: The share by which that square is larger than the person.
        second_takes: Include `lena_run2`, `lena_skip2` and `lena_walk2`.
        masks: The file of the silhouettes. By default `classification_masks.mat` in `source`, or in a folder below or
            above it. Without silhouettes, the person is the part that moves.

    Raises:
        ConfigError: The size is below 16, or the margin is negative.
        DataError: There are no clips, the silhouettes cannot be read, `out` was prepared with other settings, or it
            cannot be written.
    """
    if margin < 0:
        raise ConfigError(f"--margin must not be negative, got {margin}")
    index = Weizmann(str(source), second_takes).index()
    first = index.records[0].frames
    assert isinstance(first, VideoFile)  # Weizmann has one video a clip
    settings: dict = {"second_takes": second_takes}
    if framing == "person":
        masks = masks or find_masks(source, first.path)
        settings["masks"] = masks is not None
        if masks is None:
            print_log(f"no {MASKS} in {source}: the person is taken to be the part that moves", logger="current")
        else:
            index = replace(index, records=with_boxes(index.records, masks))
    return prepare_set(
        "weizmann",
        index,
        out,
        PersonCrop(size, margin) if framing == "person" else FixedBox(size),
        workers,
        truth=find_sidecar_folder(first.path, source, "truth"),
        settings=settings,
    )


def find_masks(source: Path, video: Path) -> Path | None:
    """Return the file of the silhouettes in `source`, below it, or in a folder above a video, or None."""
    below = (path for path in files_below(source, DEPTH, skip=("truth", "joints")) if path.name == MASKS)
    above = (folder / MASKS for folder in video.absolute().parents[:4] if (folder / MASKS).exists())
    return next(below, None) or next(above, None)


def with_boxes(records: list[ClipRecord], masks: Path) -> list[ClipRecord]:
    """Add boxes around the silhouettes (H, W, T) in `masks` to the clips that have silhouettes.

    Raises:
        DataError: The file does not exist, is of MATLAB's version 7.3, or holds no silhouettes.
    """
    variables = read_mat(masks)
    if not isinstance(variables.get("original_masks"), dict):
        raise DataError(
            f"{masks} has no struct original_masks with the silhouettes of each clip, but {', '.join(variables)}"
        )
    # Names are compared in lower case, as the reader gives them.
    known = {name.lower(): clip for name, clip in variables["original_masks"].items()}
    result = []
    for record in records:
        silhouettes = known.get(record.name.rsplit("/", 1)[-1])
        boxes = None if silhouettes is None else _fitting(np.atleast_3d(silhouettes), record.num_frames)
        if boxes is None:
            print_log(f"{masks.name} has no silhouettes that fit {record.name}", logger="current")
        result.append(record if boxes is None else replace(record, metadata=record.metadata | {"boxes": boxes}))
    return result


def _fitting(silhouettes: np.ndarray, num_frames: int) -> np.ndarray | None:
    """Return boxes (T, 4) for that number of frames, or None if the number of silhouettes differs too much."""
    boxes = silhouette_boxes(silhouettes.transpose(2, 0, 1).astype(bool))[:num_frames]  # (H, W, T) -> (T, H, W)
    if abs(silhouettes.shape[2] - num_frames) > _TOLERANCE * num_frames:
        return None
    # Missing boxes at the end become NaN: (T, 4).
    return np.concatenate([boxes, np.full((num_frames - len(boxes), 4), np.nan)])
