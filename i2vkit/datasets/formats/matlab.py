"""MATLAB files, in which the owners of some data sets hand out labels and boxes."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from scipy.io import loadmat, savemat

from i2vkit.errors import DataError
from i2vkit.media import atomic_path

# The header of scipy names the time, so that no two files would be the same.
_HEADER = b"MATLAB 5.0 MAT-file, written by i2vkit".ljust(116)


def read_mat(path: Path) -> dict[str, Any]:
    """Read the variables of a ``.mat`` file: arrays, text as ``str``, single numbers as such, structs as dictionaries.

    Raises:
        DataError: There is no such file, it is of version 7.3, or it is broken. The message names the file.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    try:
        variables = loadmat(path, simplify_cells=True)
    except NotImplementedError as error:
        raise DataError(
            f"{path} is a MATLAB file of version 7.3, which cannot be read; load it in MATLAB and save it with "
            "save(..., '-v7')"
        ) from error
    except Exception as error:  # scipy raises almost anything on broken files
        raise DataError(f"{path} cannot be read as a MATLAB file: {error}") from error
    return {name: value for name, value in variables.items() if not name.startswith("__")}


def write_mat(path: Path, variables: Mapping[str, Any], compress: bool = False) -> None:
    """Write variables (arrays, text, numbers, dictionaries) as MATLAB 5 does. Equal variables give equal bytes."""
    buffer = BytesIO()
    savemat(buffer, dict(variables))
    content = bytearray(buffer.getvalue())
    content[: len(_HEADER)] = _HEADER
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
