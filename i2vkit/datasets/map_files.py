"""Files of condition maps: one file a clip, with the maps of all its frames."""

from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSpan
from i2vkit.errors import DataError
from i2vkit.media import atomic_path

LARGEST = 2**32  # bytes of the maps of one clip


def write_maps(path: Path, maps: np.ndarray) -> None:
    """Write the maps of a clip's frames, compressed.

    The file is written beside its place and renamed, so that it is never incomplete.

    Args:
        path: The file. Its folder is made.
        maps: uint8 (T, M, H, W). 0..255 stands for [-1, 1].

    Raises:
        DataError: The maps have another shape or type.
    """
    if maps.dtype != np.uint8 or maps.ndim != 4:
        raise DataError(f"{path}: condition maps are uint8 (T, M, H, W), not {maps.dtype} {maps.shape}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, maps=maps)


def read_maps(path: Path) -> np.ndarray:
    """Read a file of ``write_maps``: uint8 (T, M, H, W).

    Raises:
        DataError: There is no such file, or it holds something else.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}, which should hold condition maps; prepare the set again with --maps")
    try:
        # Opened here, because numpy would leave the file of a broken archive open.
        with path.open("rb") as file, np.load(file) as stored:
            size = stored.zip.getinfo("maps.npy").file_size
            if size > LARGEST:  # a small archive may unpack to any size
                raise ValueError(f"they unpack to {size} bytes, more than the {LARGEST} that are read")
            maps = stored["maps"]
    except (OSError, ValueError, KeyError, EOFError, AttributeError, MemoryError, BadZipFile) as error:
        raise DataError(f"{path} holds no condition maps ({error}); remove it and prepare the set again") from error
    if maps.dtype != np.uint8 or maps.ndim != 4:
        raise DataError(f"{path}: condition maps are uint8 (T, M, H, W), not {maps.dtype} {maps.shape}")
    return maps


def has_maps(record: ClipRecord) -> bool:
    """Return True if a clip has condition maps. A column of ``index.csv`` may leave some out."""
    given = record.metadata.get("maps")
    return given is not None and not (isinstance(given, str) and not given)


def maps_of(record: ClipRecord) -> np.ndarray | None:
    """Return the maps uint8 (T, M, H, W) of all frames of a clip, or None if it has none.

    Args:
        record: A clip whose ``metadata["maps"]`` is an array, or the path of a file. The file is read at every call.

    Raises:
        DataError: They cannot be read, or their number is not that of the frames.
    """
    if not has_maps(record):
        return None
    given = record.metadata["maps"]
    if isinstance(span := record.frames, FrameSpan):
        all_maps = maps_of(replace(record, frames=span.source, num_frames=span.length))
        assert all_maps is not None  # the clip it is cut from has the same metadata
        return all_maps[span.start : span.stop]
    maps = given if isinstance(given, np.ndarray) else read_maps(Path(given))
    if len(maps) != record.num_frames:
        raise DataError(
            f"clip {record.name} has {record.num_frames} frames and condition maps of {len(maps)}; prepare the set "
            f"again"
        )
    return maps
