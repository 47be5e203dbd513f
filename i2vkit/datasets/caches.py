"""Decoded clips kept: in the memory of each worker, or in one file that all workers and all runs share."""

import hashlib
import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmengine.utils import ProgressBar
from torch.utils.data import get_worker_info

from i2vkit.datasets.clip_index import ClipRecord, FrameSource, FrameSpan
from i2vkit.errors import DataError, MediaError
from i2vkit.media import atomic_path

try:
    import fcntl
except ImportError:  # Windows: of two runs that start at once both decode, and the last one's files stay
    fcntl = None

# Goes into the name of a cache, so that one of another layout or of other decoded values is not taken for it.
_FORMAT = 1


class FrameCache:
    """Reads frames, and keeps whole clips as read while they fit into ``budget`` bytes.

    The budget is shared out over the workers of a data loader, each of which has a cache of its own: it lives as long
    as the worker does, so small sets want ``persistent_workers=True``. A budget of 0 keeps nothing.
    """

    def __init__(self, budget: int):
        self.budget = budget
        self._clips: dict[FrameSource, np.ndarray] = {}
        self._full = budget == 0

    def __getstate__(self) -> dict:
        # A copy that goes to another process starts empty rather than carrying a gigabyte along.
        return {"budget": self.budget, "_clips": {}, "_full": self.budget == 0}

    def read(self, record: ClipRecord, indices: np.ndarray) -> np.ndarray:
        """Read frames of ``record`` as uint8 (T, H, W, 3), in memory of their own.

        Raises ``MediaError`` that names the clip and the file if one is broken.
        """
        with _naming(record):
            clip = self._clips.get(record.frames)
            if clip is None and not self._full:
                clip = self._keep(record)
            return record.frames.read(indices) if clip is None else clip[indices]

    def _keep(self, record: ClipRecord) -> np.ndarray | None:
        """Read the whole of ``record`` if it fits; its first frame tells, lest a long film fill the memory."""
        worker = get_worker_info()
        budget = self.budget // (worker.num_workers if worker else 1)
        frames = _frames(record)
        first = next(frames)
        if first.nbytes * record.num_frames + sum(clip.nbytes for clip in self._clips.values()) > budget:
            self._full = True
            return None
        self._clips[record.frames] = np.stack([first, *frames])
        return self._clips[record.frames]


class FileCache:
    """Reads frames of ``records`` from one file in which all of them lie decoded, mapped into memory.

    The file and its index are ``NAME/frames`` and ``NAME/index.json`` below ``cache_folder()``. The name is a hash of
    the sources: paths, sizes and times of change. They are made when they are first asked for; another process that
    asks meanwhile waits. An interrupted run leaves no index, and without one the frames are made again.

    Raises:
        OSError: The cache cannot be written, for instance because the disk is full; nothing stays behind.
        MediaError: A clip is broken; named are the clip and the file.
        DataError: The frames do not come from files, so that nothing tells whether they changed.
    """

    def __init__(self, records: Sequence[ClipRecord]):
        unique = list({record.frames: record for record in records}.values())
        self.folder = cache_folder() / _hash(unique)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder):
            places = _read_index(self.folder)
            if places is None:
                places = _decode_all(unique, self.folder)
        self._places = {record.frames: place for record, place in zip(unique, places, strict=True)}
        self._frames = self._map()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_frames": None}  # another process maps the file itself

    def read(self, record: ClipRecord, indices: np.ndarray) -> np.ndarray:
        """Read frames of ``record`` as uint8 (T, H, W, 3), in memory of their own."""
        if self._frames is None:
            self._frames = self._map()
        frames = record.frames
        while frames not in self._places and isinstance(frames, FrameSpan):  # of a protocol that cuts clips
            frames, indices = frames.source, np.asarray(indices) + frames.start
        start, shape = self._places[frames]
        return self._frames[start : start + int(np.prod(shape))].reshape(shape)[indices]

    def _map(self) -> np.ndarray:
        return np.asarray(np.memmap(self.folder / "frames", np.uint8, mode="r"))


def open_cache(kind: str | None, records: Callable[[], Sequence[ClipRecord]], budget: int) -> FrameCache | FileCache:
    """The cache that ``kind`` ("memory", "file" or None) means, of ``budget`` bytes in memory or for ``records``.

    Where the file cannot be written the frames are read from their sources, and the log says so.
    """
    if kind != "file":
        return FrameCache(budget if kind == "memory" else 0)
    try:
        return FileCache(records())
    except OSError as error:
        advice = "clips are decoded each time they are read. Make room, or set I2VKIT_CACHE to a folder on another disk"
        print_log(f"no cache below {cache_folder()}: {error}; {advice}", logger="current", level=logging.WARNING)
        return FrameCache(0)


def cache_folder() -> Path:
    """Where caches lie: ``$I2VKIT_CACHE``, or ``~/.cache/i2vkit``. They can be removed at any time but in use."""
    return Path(os.environ.get("I2VKIT_CACHE") or "~/.cache/i2vkit").expanduser()


@contextmanager
def _naming(record: ClipRecord) -> Iterator[None]:
    try:
        yield
    except MediaError as error:
        raise MediaError(f"clip {record.name}: {error}") from error


def read_whole(record: ClipRecord) -> Iterator[np.ndarray]:
    """Yield all frames of a clip, uint8 (H, W, 3). Raises ``MediaError`` that names the clip, and what is wrong."""
    with _naming(record):
        yield from _frames(record)


def _frames(record: ClipRecord) -> Iterator[np.ndarray]:
    """Yield all frames of a clip, uint8 (H, W, 3). Raises ``MediaError`` if they differ in size or are too few."""
    shape, count = None, 0
    for frame in itertools.islice(record.frames, record.num_frames):
        if frame.shape != (shape := shape or frame.shape):
            raise MediaError(f"frame {count} is of another size than those before")
        yield frame
        count += 1
    if count < record.num_frames:
        raise MediaError(f"it has {count} frames, not {record.num_frames}")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` against other processes, which wait; the lock goes with the process, however that ends."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _hash(records: Sequence[ClipRecord]) -> str:
    described = [[record.num_frames, _described(record.frames)] for record in records]
    return hashlib.sha256(json.dumps([_FORMAT, described]).encode()).hexdigest()[:24]


def _described(source: FrameSource) -> list:
    """All that the frames of a source depend on."""
    parts = list(_parts(source))
    if not any(isinstance(part, list) for part in parts):
        raise DataError(f'{type(source).__name__} does not read files: cache="file" is not for it, use "memory"')
    return parts


def _parts(value: object) -> Iterator[str | list]:
    if is_dataclass(value):
        yield type(value).__name__
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Path):
        path = value.absolute()
        facts = path.stat() if path.exists() else None  # one that is missing is found out when it is decoded
        yield [str(path), *((facts.st_size, facts.st_mtime_ns) if facts else ())]
    else:
        yield repr(value)


IndexEntry = tuple[int, tuple[int, ...]]


def _read_index(folder: Path) -> list[IndexEntry] | None:
    """Where each clip lies in ``frames``: its first byte and shape (T, H, W, 3); None if that is to be made."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        whole = (folder / "frames").stat().st_size == index["bytes"]
        return [(start, tuple(shape)) for start, shape in index["clips"]] if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _decode_all(records: Sequence[ClipRecord], folder: Path) -> list[IndexEntry]:
    """Decode every clip once into ``folder``, whose lock is held, frames first and the index last."""
    for leftover in folder.iterdir():  # of a run that was killed
        leftover.unlink()
    places: list[IndexEntry] = []
    print_log(f"decoding {len(records)} clips into {folder}", logger="current")
    progress = ProgressBar(len(records))
    with atomic_path(folder / "frames") as temporary, temporary.open("wb") as file:
        for record in records:
            start = file.tell()
            with _naming(record):
                for frame in _frames(record):
                    file.write(frame.tobytes())
            places.append((start, (record.num_frames, *frame.shape)))
            progress.update()
        size = file.tell()
    progress.file.write("\n")
    with atomic_path(folder / "index.json") as temporary:
        temporary.write_text(json.dumps({"bytes": size, "clips": places}), encoding="utf-8")
    return places
