"""Condition maps on the disk: one file a clip, with the maps of all its frames."""

from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord, FrameSpan
from i2vkit.errors import DataError
from i2vkit.media import atomic_path


def write_maps(path: Path, maps: np.ndarray) -> None:
    """Write the maps uint8 (T, M, H, W) of a clip's frames, compressed, beside and renamed; 0..255 stands for [-1, 1].

    Raises:
        DataError: for other shapes or types.
    """
    if maps.dtype != np.uint8 or maps.ndim != 4:
        raise DataError(f"{path}: condition maps are uint8 (T, M, H, W), not {maps.dtype} {maps.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, maps=maps)


def read_maps(path: Path) -> np.ndarray:
    """Read what ``write_maps`` wrote: uint8 (T, M, H, W).

    Raises:
        DataError: There is no such file, or it holds something else.
    """
    if not path.is_file():
        raise DataError(f"condition maps are to be in {path}, where there is no file; prepare the set anew with --maps")
    try:
        # A broken archive would leave a file open that numpy had opened.
        with path.open("rb") as file, np.load(file) as stored:
            maps = stored["maps"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} holds no condition maps ({error}); remove it and prepare the set anew") from error
    if maps.dtype != np.uint8 or maps.ndim != 4:
        raise DataError(f"{path}: condition maps are uint8 (T, M, H, W), not {maps.dtype} {maps.shape}")
    return maps


def has_maps(record: ClipRecord) -> bool:
    """Tell whether a clip has condition maps; a column of ``index.csv`` may leave some out."""
    given = record.metadata.get("maps")
    return given is not None and not (isinstance(given, str) and not given)


def maps_of(record: ClipRecord) -> np.ndarray | None:
    """The maps uint8 (T, M, H, W) of all frames of a clip; None where it has none.

    Args:
        record: Holds them in ``metadata["maps"]``, as an array or as the path of a file, which is read anew each time.

    Raises:
        DataError: They cannot be read, or are not as many as the frames.
    """
    if not has_maps(record):
        return None
    given = record.metadata["maps"]
    if isinstance(span := record.frames, FrameSpan):
        whole = replace(record, frames=span.source, num_frames=span.length)
        return maps_of(whole)[span.start : span.stop]
    maps = given if isinstance(given, np.ndarray) else read_maps(Path(given))
    if len(maps) != record.num_frames:
        raise DataError(
            f"clip {record.name} has {record.num_frames} frames and condition maps of {len(maps)}; prepare the set anew"
        )
    return maps
