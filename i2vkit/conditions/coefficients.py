"""Coefficients of a face over time in a morphable model: in memory, in files, and transferred between people."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from i2vkit.conditions.morphable import MorphableModel
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSpan
from i2vkit.errors import DataError
from i2vkit.media import atomic_path


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The coefficients of one face over time: ``identity`` (I,), ``expression`` (T, E) and ``camera`` (T, 6).

    The first two are in standard deviations. A camera is a rotation vector (3) in radians, a scale in pixels for each
    unit of the model, and the position x, y of the model's origin in pixels. Whole numbers are centres of pixels.
    """

    identity: np.ndarray
    expression: np.ndarray
    camera: np.ndarray

    def __len__(self) -> int:
        return len(self.camera)

    def __getitem__(self, frames: slice | np.ndarray) -> "Coefficients":
        """Return some frames of the same person."""
        return replace(self, expression=self.expression[frames], camera=self.camera[frames])


def retarget(driving: Coefficients, person: Coefficients, frame: int = 0) -> Coefficients:
    """Transfer the motion of a driving face to a person, at the position of the person in ``frame``.

    The identity is the person's. Expressions and rotations of the head are those of the driving face (FRGAN 3.1). Size
    and position start with the person's in ``frame``. The driving face's movement since its first frame is added,
    scaled by the ratio of the two face sizes.

    Args:
        driving: T frames of the driving face.
        person: The face that is to move.
        frame: The frame of ``person`` that gives size and position.

    Returns:
        T frames of the person.
    """
    pose, start = person.camera[frame], driving.camera[0]
    camera = driving.camera.copy()
    camera[:, 3] *= pose[3] / start[3]
    camera[:, 4:] = pose[4:] + (driving.camera[:, 4:] - start[4:]) * pose[3] / start[3]
    return Coefficients(person.identity, driving.expression, camera)


def write_coefficients(path: Path, coefficients: Coefficients, model: MorphableModel) -> None:
    """Write the coefficients of a clip atomically, as float32, with the name and the hash of their model."""
    arrays: dict[str, Any] = {"model": model.name, "hash": model.hash}
    arrays |= {name: np.asarray(value, np.float32) for name, value in vars(coefficients).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_coefficients(path: Path, model: MorphableModel) -> Coefficients:
    """Read a file of ``write_coefficients``, as float64.

    Raises:
        DataError: The file does not exist, is of another kind, or belongs to another model.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path} with coefficients; prepare the set again with --maps")
    try:
        with path.open("rb") as file, np.load(file) as stored:
            found = {name: stored[name] for name in ("identity", "expression", "camera", "model", "hash")}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} holds no coefficients ({error}); remove it and prepare the set again") from error
    if str(found["hash"]) != model.hash:
        raise DataError(
            f"{path} belongs to the morphable model '{found['model']}' ({found['hash']}), not to '{model.name}' "
            f"({model.hash}): name the same files as in preparation, or prepare the maps again"
        )
    return Coefficients(*(found[name].astype(np.float64) for name in ("identity", "expression", "camera")))


def coefficients_of(record: ClipRecord, model: MorphableModel) -> Coefficients:
    """Read the coefficients of all frames of a clip, from the file ``record.metadata["coefficients"]``.

    Raises:
        DataError: The clip has no such file, the file cannot be read, or it has another number of frames.
    """
    if isinstance(span := record.frames, FrameSpan):
        # The file covers the whole clip from which the span was taken.
        whole_clip = replace(record, frames=span.source, num_frames=span.length)
        return coefficients_of(whole_clip, model)[span.start : span.stop]
    given = record.metadata.get("coefficients")
    if given is None or given == "":
        raise DataError(
            f"clip {record.name} has no coefficients of a face, which are needed to retarget it: prepare the set with "
            "--maps (tools/prepare_data.py)"
        )
    coefficients = read_coefficients(Path(given), model)
    if len(coefficients) != record.num_frames:
        raise DataError(f"{given} holds {len(coefficients)} frames, but clip {record.name} has {record.num_frames}")
    return coefficients
