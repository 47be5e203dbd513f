"""Reader of the user's own morphable model: the Basel Face Model (2009) and its expressions, as MATLAB files.

Neither may be redistributed. You can request the model at faces.dmi.unibas.ch/bfm.
"""

from pathlib import Path
from typing import Any

import numpy as np

from i2vkit.conditions.morphable import MorphableModel
from i2vkit.conditions.rasterizer import face_normals
from i2vkit.datasets.formats.matlab import read_mat
from i2vkit.errors import DataError

SHAPE_KEYS = ("shapeMU", "shapePC", "shapeEV", "tl")
# Accepted names of the modes, of their standard deviations, and of a mean offset that may be missing.
EXPRESSION_KEYS = (("expPC", "expEV", "expMU"), ("w_exp", "sigma_exp", "mu_exp"))
LANDMARK_KEYS = ("keypoints", "landmarks")
TRIM_KEY = "trimIndex"
_MOST = 80  # identity modes that are used: later ones are smaller than what 68 landmarks can tell
_MICROMETRES = 1e-3


def read_basel(shape: Path, expressions: Path, landmarks: Path | None = None) -> MorphableModel:
    """Read a Basel model with expressions, in millimetres.

    Numbers in the files count from 1 and lengths are in micrometres.

    Args:
        shape: The file with ``shapeMU`` (3V,), ``shapePC`` (3V, I), ``shapeEV`` (I,) and ``tl`` (F, 3). Only the first
            80 identity modes are used.
        expressions: The file with ``expPC`` (3V, E) and ``expEV`` (E,), or ``w_exp`` and ``sigma_exp``. An offset
            ``expMU`` or ``mu_exp`` (3V,) is optional. If they cover only some of the vertices, ``trimIndex`` (V',)
            lists these vertices.
        landmarks: The file with ``keypoints`` or ``landmarks`` (68,), vertex numbers in iBUG order. With ``trimIndex``
            they number the listed vertices. By default they are read from one of the other two files.

    Raises:
        DataError: A file is missing, of version 7.3 or broken, has other keys, or does not fit the others. The message
            names the file and the keys that are accepted.
    """
    basel, moves = read_mat(shape), read_mat(expressions)
    if missing := [key for key in SHAPE_KEYS if key not in basel]:
        raise _wrong_keys(shape, missing[0], f"a Basel model has {', '.join(SHAPE_KEYS)}", basel)
    mean, count = _vertices(shape, "shapeMU", basel), np.size(basel["shapeMU"]) // 3
    identity = _modes(shape, "shapePC", "shapeEV", basel, count)[..., :_MOST]
    triangles = _triangles(shape, basel, count)
    if TRIM_KEY in moves:
        kept = _numbers(expressions, TRIM_KEY, moves, count)
        mean, identity, triangles, count = mean[kept], identity[kept], _trimmed(triangles, kept, count), len(kept)
    keys = next((keys for keys in EXPRESSION_KEYS if keys[0] in moves and keys[1] in moves), None)
    if keys is None:
        accepted = " or ".join(f"{modes} and {deviations}" for modes, deviations, _ in EXPRESSION_KEYS)
        raise _wrong_keys(expressions, "expressions", f"accepted are {accepted}", moves)
    expression = _modes(expressions, *keys[:2], moves, count)
    if keys[2] in moves:
        mean = mean + _vertices(expressions, keys[2], moves, count)
    files = {expressions: moves, shape: basel} if landmarks is None else {landmarks: read_mat(landmarks)}
    return MorphableModel(
        name=shape.name,
        mean=mean.astype(np.float32),
        identity=identity.astype(np.float32),
        expression=expression.astype(np.float32),
        triangles=_outwards(mean, triangles),
        landmarks=_landmarks(files, count),
    )


def _wrong_keys(path: Path, missing: str, accepted: str, found: dict[str, Any]) -> DataError:
    """Return the error for a file that lacks a key."""
    return DataError(f"{path} has no {missing}: {accepted}; found {', '.join(sorted(found)) or 'nothing'}")


def _vertices(path: Path, key: str, variables: dict[str, Any], count: int | None = None) -> np.ndarray:
    """Return a variable of 3V numbers as (V, 3), in millimetres."""
    values = np.asarray(variables[key])
    if values.size == 0 or values.size % 3 or (count is not None and values.size != 3 * count):
        wanted = "three numbers a vertex" if count is None else f"three numbers for each of {count} vertices"
        raise DataError(f"{path}: {key} {values.shape} should be {wanted}")
    return values.reshape(-1, 3) * _MICROMETRES  # (3V,) -> (V, 3)


def _modes(path: Path, modes: str, deviations: str, variables: dict[str, Any], count: int) -> np.ndarray:
    """Return modes (V, 3, K) times their standard deviations, in millimetres."""
    directions, sizes = np.asarray(variables[modes]), np.ravel(variables[deviations])
    directions = directions[:, None] if directions.ndim == 1 else directions
    if directions.shape != (3 * count, len(sizes)):
        raise DataError(
            f"{path}: {modes} {directions.shape} should be {(3 * count, len(sizes))}, for {count} vertices and the "
            f"{len(sizes)} values of {deviations}; for a part of the vertices give {TRIM_KEY} with the expressions"
        )
    return (directions * sizes * _MICROMETRES).reshape(count, 3, len(sizes))  # (3V, K) -> (V, 3, K)


def _numbers(path: Path, key: str, variables: dict[str, Any], count: int) -> np.ndarray:
    """Return the vertex numbers of a variable, converted to count from 0."""
    numbers = np.asarray(variables[key])
    if not np.array_equal(numbers, np.rint(numbers)) or not (numbers.min() >= 1 and numbers.max() <= count):
        raise DataError(f"{path}: {key} should be whole numbers from 1 to {count}, the number of vertices")
    return numbers.astype(np.int32).reshape(-1) - 1


def _triangles(path: Path, variables: dict[str, Any], count: int) -> np.ndarray:
    """Return the triangles of the model, vertex numbers (F, 3) from 0."""
    if np.ndim(variables["tl"]) != 2 or np.shape(variables["tl"])[1] != 3:
        raise DataError(f"{path}: tl {np.shape(variables['tl'])} should have three vertex numbers a row")
    return _numbers(path, "tl", variables, count).reshape(-1, 3)


def _trimmed(triangles: np.ndarray, kept: np.ndarray, count: int) -> np.ndarray:
    """Return the triangles among the vertices ``kept``, with their new vertex numbers."""
    places = np.full(count, -1, np.int32)
    places[kept] = np.arange(len(kept))
    renumbered = places[triangles]
    return renumbered[(renumbered >= 0).all(axis=1)]


def _outwards(mean: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the triangles in counter-clockwise order, seen from outside."""
    # Most of a face looks ahead, so the normals point outwards if their z is positive in sum.
    ahead = face_normals(mean, triangles.T)[:, 2].sum() > 0
    return np.ascontiguousarray(triangles if ahead else triangles[:, ::-1])


def _landmarks(files: dict[Path, dict[str, Any]], count: int) -> np.ndarray:
    """Return the 68 vertex numbers from the first of the files that has them."""
    for path, variables in files.items():
        for key in LANDMARK_KEYS:
            if key in variables:
                numbers = _numbers(path, key, variables, count)
                if len(numbers) != 68:
                    raise DataError(f"{path}: {key} has {len(numbers)} numbers, not the 68 of iBUG")
                return numbers
    names = " and ".join(map(str, files))
    raise DataError(
        f"{names}: no vertex numbers of the 68 landmarks, {' or '.join(LANDMARK_KEYS)}; write them, from 1 and in iBUG "
        "order, to a .mat file and name it too (--landmark-vertices)"
    )
