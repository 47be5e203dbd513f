"""Preparation of MUG."""

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
    """Crop the faces of all takes below `source`, and of the rendered truth if there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them.
        out: The prepared data: `017/anger/take000/000.png`, `index.csv`, `landmarks/`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels; ImaGINator uses 64, FRGAN 96.
        workers: Number of processes. By default one for each core.
        framing: "box" keeps the box of the face on the first frame for the whole take, as FRGAN does. "box_per_frame"
            crops each frame by its own box, as ImaGINator does. "eyes" rotates and scales every frame so that the eyes
            keep their positions.
        margin: Margin of a box on every side, as a share of its side; 0.1 by default.
        face: The face to follow if landmarks must be found and the first frame shows several. "only" skips such clips.
        marked_takes: Include takes with a mark after their number (`take001nsg`).
        maps: Write condition maps too, the normals of a morphable model fitted to the landmarks. It also adds them to a
            set that was prepared without.
        morphable: The `.mat` file of a Basel model for the maps, instead of the built-in model.
        expressions: The `.mat` file of its expressions.
        landmark_vertices: The `.mat` file with the vertices of its landmarks, if neither of the others has them.

    Raises:
        ConfigError: The size is below 16, the margin is invalid, or files of a model are given without `maps` or
            without each other.
        DataError: There are no clips, there are no landmarks and nothing is installed to find them, `out` was prepared
            with other settings, or it cannot be written.
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
