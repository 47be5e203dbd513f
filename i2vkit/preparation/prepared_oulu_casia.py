"""Preparation of Oulu-CASIA."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.readers.oulu_casia import OuluCasia
from i2vkit.preparation.alignment import EyeAlignment
from i2vkit.preparation.face_crops import FaceChoice, prepare_faces
from i2vkit.preparation.face_maps import face_map_maker


def prepare_oulu_casia(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    camera: Literal["VL", "NI"] = "VL",
    light: Literal["Strong", "Weak", "Dark"] = "Strong",
    face: FaceChoice = "only",
    maps: bool = False,
    morphable: Path | None = None,
    expressions: Path | None = None,
    landmark_vertices: Path | None = None,
) -> str:
    """Align all clips below `source` by the eyes, with the rendered truth if there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them. `landmarks/` is there or up to four levels above the frames.
        out: The prepared data: `P001/Anger/VL_Strong/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the aligned frames in pixels.
        workers: Number of processes. By default one for each core.
        camera: Visible light or near infrared.
        light: The illumination.
        face: The face to follow if landmarks must be found and the first frame shows several. "only" skips such clips.
        maps: Write condition maps too, the normals of a morphable model fitted to the landmarks. It also adds them to a
            set that was prepared without.
        morphable: The `.mat` file of a Basel model for the maps, instead of the built-in model.
        expressions: The `.mat` file of its expressions.
        landmark_vertices: The `.mat` file with the vertices of its landmarks, if neither of the others has them.

    Raises:
        ConfigError: The size is below 16, or files of a model are given without `maps` or without each other.
        DataError: There are no clips, there are no landmarks and nothing is installed to find them, `out` was prepared
            with other settings, or it cannot be written.
    """
    index = OuluCasia(str(source), camera, light).index()
    first = index.records[0].frames
    assert isinstance(first, FrameFolder)  # Oulu-CASIA stores frames as images
    base = _landmark_base(first.paths[0], source)
    # The landmarks mirror the folders of the frames, with one file for each clip.
    tables = [base / "landmarks" / camera / light / r.person / f"{r.label}.csv" for r in index.records]
    records = [replace(r, metadata={"landmarks": table}) for r, table in zip(index.records, tables, strict=True)]
    return prepare_faces(
        "oulu_casia",
        replace(index, records=records),
        out,
        EyeAlignment(size),
        workers,
        face,
        expected=tables[0],
        truth=base / "truth",
        settings={"camera": camera, "light": light},
        maps=face_map_maker(maps, size, morphable, expressions, landmark_vertices),
    )


def _landmark_base(frame: Path, source: Path) -> Path:
    """Return the folder that holds `landmarks/`: `source`, or one above `VL/Strong/P001/Anger/000.jpeg`."""
    for folder in (source, *frame.parents[4:8]):
        if (folder / "landmarks").is_dir():
            return folder
    return source
