"""Caches of decoded clips: in the memory of each worker, or in one file that all workers and all runs share."""

import hashlib
import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path

import av
import numpy as np
import PIL
from mmengine.logging import print_log
from mmengine.utils import ProgressBar
from torch.utils.data import get_worker_info

from i2vkit.datasets.broken_clips import describe_broken
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import FrameSource, FrameSpan, VideoFile
from i2vkit.errors import DataError, MediaError
from i2vkit.media import atomic_path
from i2vkit.utils.json_files import read_json

try:
    import fcntl
except ImportError:  # Windows: two runs that start at once both decode, and the files of the later one stay
    fcntl = None  # type: ignore[assignment]  # the None is how the code below knows that there are no locks

# Part of a cache's name, so that caches of an older layout or with other decoded values are not read.
_FORMAT = 2


class FrameCache:
    """A reader of frames that keeps whole clips in memory while they fit.

    The workers of a data loader share the budget out, and each has a cache of its own. A cache lives as long as its
    worker, so small sets want ``persistent_workers=True``.

    Args:
        budget: Bytes of decoded frames that are kept, over all workers. With 0 nothing is kept.
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

        Raises:
            MediaError: A file is broken. The message names the clip and the file.
        """
        with _naming(record):
            clip = self._clips.get(record.frames)
            if clip is None and not self._full:
                clip = self._keep(record)
            return record.frames.read(indices) if clip is None else clip[indices]

    def _keep(self, record: ClipRecord) -> np.ndarray | None:
        """Read all frames of ``record`` if they fit.

        The first frame tells whether they do, so that a long film does not fill the memory.
        """
        worker = get_worker_info()
        budget = self.budget // (worker.num_workers if worker else 1)
        frames = _frames(record)
        first = next(frames)
        if first.nbytes * record.num_frames + sum(clip.nbytes for clip in self._clips.values()) > budget:
            self._full = True
            return None
        self._clips[record.frames] = np.stack([first, *frames])  # T times (H, W, 3) -> (T, H, W, 3)
        return self._clips[record.frames]


class FileCache:
    """A reader of frames from one file that holds all ``records`` decoded, mapped into memory.

    The file and its index are ``NAME/frames`` and ``NAME/index.json`` below ``cache_folder()``. The name is a hash of
    the sources: paths, sizes and times of change. The first process that needs the cache makes it, and others wait
    meanwhile. An interrupted run leaves no index, and without an index the frames are decoded again.

    Args:
        records: The clips. Clips with the same frames are stored once.

    Raises:
        OSError: The cache cannot be written, for instance because the disk is full. Nothing stays behind.
        MediaError: A clip is broken. The message names the clip and the file.
        DataError: The frames do not come from files, so that a change of them could not be noticed.
    """

    def __init__(self, records: Sequence[ClipRecord]):
        unique = list({record.frames: record for record in records}.values())
        self.folder = cache_folder() / _hash(unique)
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked_folder(self.folder):
            places = _read_index(self.folder)
            if places is None:
                places = _decode_all(unique, self.folder)
        self._places = {record.frames: place for record, place in zip(unique, places, strict=True)}
        self._frames: np.ndarray | None = self._map()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_frames": None}  # another process maps the file itself

    def read(self, record: ClipRecord, indices: np.ndarray) -> np.ndarray:
        """Read frames of ``record`` as uint8 (T, H, W, 3), in memory of their own."""
        if self._frames is None:
            self._frames = self._map()
        frames = record.frames
        # A protocol may cut clips into spans. The cache holds their sources.
        while frames not in self._places and isinstance(frames, FrameSpan):
            indices = np.asarray(indices) + frames.start
            frames = frames.source
        start, shape = self._places[frames]
        pixels = self._frames[start : start + int(np.prod(shape))]
        return pixels.reshape(shape)[indices]  # (T * H * W * 3,) -> (T, H, W, 3)

    def _map(self) -> np.ndarray:
        return np.asarray(np.memmap(self.folder / "frames", np.uint8, mode="r"))


def open_cache(kind: str | None, records: Callable[[], Sequence[ClipRecord]], budget: int) -> FrameCache | FileCache:
    """Open the cache of a kind.

    Args:
        kind: "memory", "file", or None for no cache.
        records: Returns the clips of a "file" cache. It is called for that kind only.
        budget: Bytes of decoded frames in a "memory" cache.

    Returns:
        The cache. If the file cannot be written, it is one that keeps nothing, and the log says so.
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
    """Return the folder of all caches: ``$I2VKIT_CACHE``, or ``~/.cache/i2vkit``.

    You can remove caches at any time, unless a run is using them.
    """
    return Path(os.environ.get("I2VKIT_CACHE") or "~/.cache/i2vkit").expanduser()


@contextmanager
def _naming(record: ClipRecord) -> Iterator[None]:
    """Add the name of the clip to a ``MediaError``."""
    try:
        yield
    except MediaError as error:
        raise MediaError(f"clip {record.name}: {error}") from error


def read_whole(record: ClipRecord) -> Iterator[np.ndarray]:
    """Yield all frames of a clip, uint8 (H, W, 3).

    Raises:
        MediaError: A file is broken, or the frames differ in size or are too few. The message names the clip.
    """
    with _naming(record):
        yield from _frames(record)


def _frames(record: ClipRecord) -> Iterator[np.ndarray]:
    """Yield all frames of a clip, uint8 (H, W, 3).

    Raises:
        MediaError: They differ in size or are too few, or a video ends before the end that its header states.
    """
    shape, count, frames = None, 0, iter(record.frames)
    for frame in itertools.islice(frames, record.num_frames):
        if frame.shape != (shape := shape or frame.shape):
            raise MediaError(f"frame {count} is of another size than those before")
        yield frame
        count += 1
    if count < record.num_frames:
        raise MediaError(f"it has {count} frames, not {record.num_frames}")
    if isinstance(record.frames, VideoFile):
        next(frames, None)  # a video that is cut says so at its end


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock ``folder`` against other processes, which wait. The lock ends with the process, however that ends."""
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
    """Return the name of the cache of ``records``.

    The versions of the libraries that decode are a part of it, since colours may differ between them.
    """
    described = [[record.num_frames, _described(record.frames)] for record in records]
    versions = [_FORMAT, av.__version__, PIL.__version__]
    return hashlib.sha256(json.dumps([versions, described]).encode()).hexdigest()[:24]


def file_state(record: ClipRecord) -> str:
    """Return a hash of all that the frames of a clip depend on: its files, their sizes and times of change."""
    return _hash([record])


def _described(source: FrameSource) -> list:
    """List all that the frames of a source depend on."""
    parts = list(_parts(source))
    if not any(isinstance(part, list) for part in parts):
        raise DataError(f'{type(source).__name__} does not read files: cache="file" is not for it, use "memory"')
    return parts


def _parts(value: object) -> Iterator[str | list]:
    """Yield the names, values and files (path, size, time of change) of a source, recursively."""
    if is_dataclass(value):
        yield type(value).__name__
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Path):
        path = value.absolute()
        facts = path.stat() if path.exists() else None  # decoding reports a missing file
        yield [str(path), *((facts.st_size, facts.st_mtime_ns) if facts else ())]
    else:
        yield repr(value)


IndexEntry = tuple[int, tuple[int, ...]]


def _read_index(folder: Path) -> list[IndexEntry] | None:
    """Read the first byte and the shape (T, H, W, 3) of each clip in ``frames``.

    Return None if there is no valid index, so that the cache must be made.
    """
    try:
        index = read_json(folder / "index.json")
        whole = (folder / "frames").stat().st_size == index["bytes"]
        return [(start, tuple(shape)) for start, shape in index["clips"]] if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _decode_all(records: Sequence[ClipRecord], folder: Path) -> list[IndexEntry]:
    """Decode every clip once into ``folder``, whose lock is held. Frames are written first and the index last."""
    for leftover in folder.iterdir():  # of a run that was killed
        leftover.unlink()
    places: list[IndexEntry] = []
    broken: list[MediaError] = []
    print_log(f"decoding {len(records)} clips into {folder}", logger="current")
    progress = ProgressBar(len(records))
    with atomic_path(folder / "frames") as temporary, temporary.open("wb") as file:
        for record in records:
            start = file.tell()
            try:
                with _naming(record):
                    for frame in _frames(record):
                        file.write(frame.tobytes())
                places.append((start, (record.num_frames, *frame.shape)))
            except MediaError as error:
                broken.append(error)  # all of them are found before they end the run
            progress.update()
        if len(broken) == 1:
            raise broken[0]
        if broken:
            raise MediaError(describe_broken([str(error) for error in broken]))
        size = file.tell()
    progress.file.write("\n")
    with atomic_path(folder / "index.json") as temporary:
        temporary.write_text(json.dumps({"bytes": size, "clips": places}), encoding="utf-8")
    return places
