"""Condition maps for prepared faces: a morphable model is fitted to their landmarks and drawn frame by frame."""

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
    """A ``MapMaker`` for clips of faces that begin neutral, as those of all our sets do.

    Args:
        size: The side of the maps in pixels.
        model: A text that identifies the morphable model, stored as a setting.
    """

    size: int
    model: str
    _generator: FaceMaps

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write the coefficients of a clip, then its maps. Raise ``DataError`` if the model cannot be fitted."""
        maps, coefficients = maps_path(root, record), maps_path(root, record, "coefficients")
        # Maps are written last, so an interrupted run leaves no maps without coefficients.
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
    """Return a maker of maps with the built-in model or a Basel model, or None if ``maps`` is false.

    Args:
        maps: Whether maps are requested.
        size: The side of the maps in pixels.
        model: The file of a Basel model, see ``FaceMaps``.
        expressions: The file of its expressions.
        landmarks: The file of its landmarks.

    Raises:
        ConfigError: Files are given without ``maps``, or one without the other. Otherwise as ``FaceMaps``.
    """
    if not maps:
        if any(path is not None for path in (model, expressions, landmarks)):
            raise ConfigError("--morphable, --expressions and --landmark-vertices need --maps")
        return None
    generator = FaceMaps(size, *(None if path is None else str(path) for path in (model, expressions, landmarks)))
    return FaceMapMaker(size, f"{generator.model.name} {generator.model.hash}", generator)
