"""Condition maps of faces that were prepared: a morphable model fitted to their landmarks, drawn frame by frame."""

from dataclasses import dataclass
from pathlib import Path

from i2vkit.conditions import FaceMaps
from i2vkit.conditions.coefficients import write_coefficients
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.point_files import read_points
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.pipeline import maps_path, points_path


@dataclass(frozen=True)
class FaceMapMaker:
    """A ``MapMaker`` for clips of faces that begin neutral, as all our sets do; ``model`` tells models apart."""

    size: int
    model: str
    _generator: FaceMaps

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write maps and coefficients, these first. Raises ``DataError`` where the model cannot be fitted."""
        maps, coefficients = maps_path(root, record), maps_path(root, record, "coefficients")
        if maps.exists() and coefficients.exists():
            return
        landmarks = points_path(root, "landmarks", record)
        if not landmarks.exists():
            raise DataError(f"no landmarks in {landmarks}")
        face = self._generator.fit(read_points(landmarks, range(record.num_frames)), neutral_start=True)
        write_coefficients(coefficients, face, self._generator.model)
        write_maps(maps, self._generator(face))


def face_map_maker(
    maps: bool, size: int, model: Path | None, expressions: Path | None, landmarks: Path | None
) -> FaceMapMaker | None:
    """What makes maps of that size, by the built-in model or a Basel model; None without ``maps``.

    Raises ``ConfigError`` for files that are not used or lack another, and what ``FaceMaps`` raises.
    """
    if not maps:
        if any(path is not None for path in (model, expressions, landmarks)):
            raise ConfigError("--morphable, --expressions and --landmark-vertices belong to --maps, which is not given")
        return None
    generator = FaceMaps(size, *(None if path is None else str(path) for path in (model, expressions, landmarks)))
    return FaceMapMaker(size, f"{generator.model.name} {generator.model.hash}", generator)
