"""MUG, raw to prepared."""

from pathlib import Path

from i2vkit.datasets.readers.mug import Mug
from i2vkit.preparation.face_crops import FaceChoice, FramingName, face_framing, prepare_faces
from i2vkit.preparation.face_maps import face_map_maker


def prepare_mug(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    framing: FramingName = "box",
    margin: float | None = None,
    face: FaceChoice = "only",
    marked_takes: bool = False,
    maps: bool = False,
    morphable: Path | None = None,
    expressions: Path | None = None,
    landmark_vertices: Path | None = None,
) -> str:
    """Cut the faces out of all takes below `source`, and the rendered truth if there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them.
        out: The prepared data: `017/anger/take000/000.png`, `index.csv`, `landmarks/`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels; ImaGINator takes 64, FRGAN 96.
        workers: Processes; one a core by default.
        framing: "box" keeps the box of the face on the first frame for the whole take, as FRGAN does; "eyes" turns and
            scales every frame so that the eyes stay in their places.
        margin: What is added to that box on every side, as a share of its own; 0.1 by default.
        face: Whose face, where landmarks are to be found and the first frame shows several; "only" skips such clips.
        marked_takes: Takes with a mark after their number (`take001nsg`), too.
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
    reader = Mug(str(source), marked_takes)
    return prepare_faces(
        "mug",
        reader.index(),
        out,
        face_framing(framing, size, margin),
        workers,
        face,
        expected=reader.sidecar_folder("landmarks") / "001" / "anger" / "take000.csv",
        truth=reader.sidecar_folder("truth"),
        maps=face_map_maker(maps, size, morphable, expressions, landmark_vertices),
    )
