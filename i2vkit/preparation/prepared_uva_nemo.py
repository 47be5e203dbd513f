"""UvA-NEMO, raw to prepared."""

from pathlib import Path
from typing import Literal

from i2vkit.datasets.readers.uva_nemo import UvaNemo
from i2vkit.preparation.face_crops import FaceChoice, FramingName, face_framing, prepare_faces
from i2vkit.preparation.face_maps import face_map_maker


def prepare_uva_nemo(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    framing: FramingName = "box",
    margin: float | None = None,
    face: FaceChoice = "only",
    kind: Literal["deliberate", "spontaneous"] | None = None,
    maps: bool = False,
    morphable: Path | None = None,
    expressions: Path | None = None,
    landmark_vertices: Path | None = None,
) -> str:
    """Cut the faces out of all videos below `source`, and the rendered truth if there is one, and index them in `out`.

    All frames are kept (50 a second); a config's stride says how many of them a model sees.

    Args:
        source: The raw data, or any folder above them.
        out: The prepared data: `001/spontaneous/smile_1/000.png`, `index.csv`, `landmarks/`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels.
        workers: Processes; one a core by default.
        framing: "box" keeps the box of the face on the first frame for the whole clip; "eyes" turns and scales every
            frame so that the eyes stay in their places.
        margin: What is added to that box on every side, as a share of its own; 0.1 by default.
        face: Whose face, where landmarks are to be found and the first frame shows several; "only" skips such clips.
        kind: Smiles of one kind only; both by default.
        maps: Condition maps, too: the normals of a morphable model fitted to the landmarks; also for what was
            prepared without them.
        morphable: A Basel model's `.mat` for these, instead of the built-in model.
        expressions: The `.mat` of its expressions.
        landmark_vertices: The `.mat` that says which vertices are landmarks, where neither of the others does.

    Raises:
        ConfigError: A size below 16, a margin that makes no sense, or files of a model without `maps` or each other.
        DataError: No clips, no landmarks and nothing installed that finds them, `out` was prepared otherwise, or it
            cannot be written.
    """
    reader = UvaNemo(str(source), kind)
    return prepare_faces(
        "uva_nemo",
        reader.index(),
        out,
        face_framing(framing, size, margin),
        workers,
        face,
        expected=reader.sidecar_folder("landmarks") / "001_deliberate_smile_1.csv",
        truth=reader.sidecar_folder("truth"),
        maps=face_map_maker(maps, size, morphable, expressions, landmark_vertices),
    )
