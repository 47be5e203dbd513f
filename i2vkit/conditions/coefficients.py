"""What a face does over time in the words of a morphable model: in memory, in files, carried over to others."""

from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from i2vkit.conditions.morphable import MorphableModel
from i2vkit.datasets.clip_index import ClipRecord, FrameSpan
from i2vkit.errors import DataError
from i2vkit.media import atomic_path


@dataclass(frozen=True, eq=False)
class Coefficients:
    """A face over time: ``identity`` (I,), ``expression`` (T, E) and ``camera`` (T, 6).

    The first two are in standard deviations. A camera is a rotation vector (3) in radians, a scale in pixels for a unit
    of the model, and where the model's origin is in the picture: x and y in pixels, whose centres are whole numbers.
    """

    identity: np.ndarray
    expression: np.ndarray
    camera: np.ndarray

    def __len__(self) -> int:
        return len(self.camera)

    def __getitem__(self, frames: slice | np.ndarray) -> "Coefficients":
        """Some frames of the same person."""
        return replace(self, expression=self.expression[frames], camera=self.camera[frames])


def retarget(driving: Coefficients, person: Coefficients, frame: int = 0) -> Coefficients:
    """The person's face doing what the driving face does (T frames), in the place where the person is seen in
    ``frame``.

    Identity is the person's, expressions are the driving face's (FRGAN 3.1), and so is how the head is turned. Size and
    place begin as the person's in ``frame``; how the driving face moves since its first frame is added, in proportion
    to the sizes of the faces.
    """
    pose, start = person.camera[frame], driving.camera[0]
    camera = driving.camera.copy()
    camera[:, 3] *= pose[3] / start[3]
    camera[:, 4:] = pose[4:] + (driving.camera[:, 4:] - start[4:]) * pose[3] / start[3]
    return Coefficients(person.identity, driving.expression, camera)


def write_coefficients(path: Path, coefficients: Coefficients, model: MorphableModel) -> None:
    """Write a clip's coefficients, float32, and the model that they belong to; beside and renamed."""
    arrays = {name: np.asarray(value, np.float32) for name, value in vars(coefficients).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, model=model.name, hash=model.hash, **arrays)


def read_coefficients(path: Path, model: MorphableModel) -> Coefficients:
    """Read what ``write_coefficients`` wrote, as float64.

    Raises ``DataError`` if there is no such file, it is something else, or it belongs to another model.
    """
    if not path.is_file():
        raise DataError(f"coefficients are to be in {path}, where there is no file; prepare the set anew with --maps")
    try:
        with path.open("rb") as file, np.load(file) as stored:
            found = {name: stored[name] for name in ("identity", "expression", "camera", "model", "hash")}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} holds no coefficients ({error}); remove it and prepare the set anew") from error
    if str(found["hash"]) != model.hash:
        raise DataError(
            f"{path} belongs to the morphable model '{found['model']}' ({found['hash']}), not to '{model.name}' "
            f"({model.hash}): name the same files as in preparation, or prepare the maps anew"
        )
    return Coefficients(*(found[name].astype(np.float64) for name in ("identity", "expression", "camera")))


def coefficients_of(record: ClipRecord, model: MorphableModel) -> Coefficients:
    """The coefficients of all frames of a clip, from ``record.metadata["coefficients"]``.

    Raises ``DataError`` if it has none, they cannot be read, or are not as many as the frames.
    """
    if isinstance(span := record.frames, FrameSpan):
        whole = replace(record, frames=span.source, num_frames=span.length)
        return coefficients_of(whole, model)[span.start : span.stop]
    given = record.metadata.get("coefficients")
    if given is None or given == "":
        raise DataError(
            f"clip {record.name} has no coefficients of a face, which are needed to retarget it: prepare the set with "
            "--maps (tools/prepare_data.py)"
        )
    coefficients = read_coefficients(Path(given), model)
    if len(coefficients) != record.num_frames:
        raise DataError(f"{given} is of {len(coefficients)} frames, clip {record.name} has {record.num_frames}")
    return coefficients
