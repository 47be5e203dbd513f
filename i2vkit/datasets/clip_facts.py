"""The facts about the clips of a folder, kept in a file beside them, so that each clip is opened once."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import astuple, fields
from pathlib import Path
from types import NoneType
from typing import Any

from mmengine.logging import print_log

from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.errors import MediaError
from i2vkit.media import VideoFacts, atomic_path, image_paths, video_facts
from i2vkit.utils.json_files import read_json

FILE = ".i2vkit_index.json"
_FORMAT = 1
_SECONDS = 5.0  # between two lines about the progress
_NUMBER_OR_NONE = (int, float, NoneType)
_TYPES = ((int,), (int,), (int,), _NUMBER_OR_NONE, (int,), _NUMBER_OR_NONE, (bool,), (bool,))


class ClipFacts:
    """The number of frames and the rate of the clips in a folder.

    What was found is kept in ``root/.i2vkit_index.json`` by the name, size and time of change of each file. Only new
    and changed clips are opened. If the folder cannot be written to, nothing is kept.

    Args:
        root: The folder of the clips.
        total: Number of clips that will be asked for, for the lines about the progress.

    Examples:
        Use it as a context, which writes the file at its end::

            with ClipFacts(Path("data/my_clips")) as facts:
                facts.of(Path("data/my_clips/ann/smile/0.mp4")).num_frames
    """

    def __init__(self, root: Path, total: int | None = None) -> None:
        self.root, self.total = root, total
        self._skipped = len(str(root / "x")) - 1  # characters of a path before the name of a clip
        self._known = _read(root / FILE)
        self._asked: dict[str, list] = {}
        self._opened = 0
        self._told = time.monotonic()

    def __enter__(self) -> ClipFacts:
        return self

    def __exit__(self, *error: object) -> None:
        """Write the file if something was found that it does not hold."""
        if self._opened:
            kept = self._known | self._asked if any(error) else self._asked
            with suppress(OSError), atomic_path(self.root / FILE) as temporary:
                temporary.write_text(json.dumps({"format": _FORMAT, "clips": kept}), encoding="utf-8")

    def of(self, path: Path) -> VideoFacts:
        """Return the facts about a video file.

        Raises:
            MediaError: It cannot be read.
        """
        entry = self._entry(path)
        return VideoFacts(*entry[2:])

    def folder(self, path: Path) -> FrameFolder:
        """Return the clip of a folder of images. Its files are listed when they are first read.

        The number of its frames is that of ``of``.
        """
        return LazyFrameFolder(path)

    def _entry(self, path: Path) -> list:
        """Return size, time of change and facts of a clip, from the file or from the clip itself."""
        # Of 100,000 clips each step counts: pathlib would take ten times as long.
        name = str(path)[self._skipped :].replace(os.sep, "/")
        try:
            state = os.stat(path)  # noqa: PTH116
            found = [state.st_size, state.st_mtime_ns]
        except OSError:
            raise MediaError(f"there is no file {path}") from None  # also a link to a file that is gone
        known = self._known.get(name)
        if known is None or known[:2] != found or not _is_whole(known):
            known = [*found, *astuple(video_facts(path))]
            self._opened += 1
            self._tell()
        self._asked[name] = known
        return known

    def _tell(self) -> None:
        """Log a line about the progress now and then."""
        if time.monotonic() - self._told > _SECONDS:
            self._told = time.monotonic()
            of = f" of {self.total}" if self.total else ""
            print_log(f"indexing {self.root}: {len(self._asked) + 1}{of} clips", "current")


class LazyFrameFolder(FrameFolder):
    """A clip of all images in a folder, which is listed when its frames are first read.

    Args:
        folder: The folder.
    """

    folder: Path

    def __init__(self, folder: Path) -> None:
        object.__setattr__(self, "folder", folder)

    def __getattr__(self, name: str) -> Any:
        if name != "paths":
            raise AttributeError(name)
        object.__setattr__(self, "paths", tuple(image_paths(self.folder)))
        return self.paths

    def __reduce__(self) -> tuple:
        return LazyFrameFolder, (self.folder,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyFrameFolder) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)


def _read(file: Path) -> dict[str, list]:
    """Return the entries of a file, by the name of the clip. A missing, damaged or older one has none."""
    try:
        content = read_json(file)
        clips = content["clips"] if content["format"] == _FORMAT else {}
        assert len(_TYPES) == len(fields(VideoFacts)) + 2
        return {name: entry for name, entry in clips.items() if isinstance(entry, list)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _is_whole(entry: list) -> bool:
    """Return True if an entry has the types that ``ClipFacts`` writes."""
    return len(entry) == len(_TYPES) and all(type(value) in kinds for value, kinds in zip(entry, _TYPES, strict=True))
