"""Oulu-CASIA, raw to prepared."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

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
    """Align all clips below `source` by the eyes, and the rendered truth where there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them; `landmarks/` lies there or up to four levels above the frames.
        out: The prepared data: `P001/Anger/VL_Strong/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the aligned frames in pixels.
        workers: Processes; one a core by default.
        camera: Visible light or near infrared.
        light: Which illumination.
        face: Whose face, where landmarks are to be found and the first frame shows several; "only" skips such clips.
        maps: Condition maps, too: the normals of a morphable model fitted to the landmarks; also for what was
            prepared without them.
        morphable: A Basel model's `.mat` for these, instead of the built-in model.
        expressions: The `.mat` of its expressions.
        landmark_vertices: The `.mat` that says which vertices are landmarks, where neither of the others does.

    Raises:
        ConfigError: A size below 16, or files of a model without `maps` or each other.
        DataError: No clips, no landmarks and nothing installed that finds them, `out` was prepared otherwise, or it
            cannot be written.
    """
    index = OuluCasia(str(source), camera, light).index()
    base = _landmark_base(index.records[0].frames.paths[0], source)
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
    """The folder that holds `landmarks/`: `source`, or one above `VL/Strong/P001/Anger/000.jpeg`."""
    for folder in (source, *frame.parents[4:8]):
        if (folder / "landmarks").is_dir():
            return folder
    return source
