"""Preparation of UvA-NEMO."""

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
    """Crop the faces of all videos below `source`, and of the rendered truth if there is one, and index them in `out`.

    All frames are kept, 50 for each second. The stride of a config says how many of them a model sees.

    Args:
        source: The raw data, or any folder above them.
        out: The prepared data: `001/spontaneous/smile_1/000.png`, `index.csv`, `landmarks/`, `skipped.csv`, `truth/`.
        size: Side of the prepared frames in pixels.
        workers: Number of processes. By default one for each core.
        framing: "box" keeps the box of the face on the first frame for the whole clip. "box_per_frame" crops each frame
            by its own box, as ImaGINator does. "eyes" rotates and scales every frame so that the eyes keep their
            positions.
        margin: Margin of a box on every side, as a share of its side; 0.1 by default.
        face: The face to follow if landmarks must be found and the first frame shows several. "only" skips such clips.
        kind: Only smiles of this kind. Both kinds by default.
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
