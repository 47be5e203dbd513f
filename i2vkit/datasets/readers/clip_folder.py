"""A reader of the prepared layout, which is also the layout of your own clips."""

import os
from os.path import lexists
from pathlib import Path

from i2vkit.datasets.broken_clips import BrokenClips, OnError
from i2vkit.datasets.clip_facts import ClipFacts
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import check_listed, missing_data, subfolders
from i2vkit.datasets.formats.tables import Row, check_each, read_rows
from i2vkit.datasets.frame_sources import FrameFolder, VideoFile
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError
from i2vkit.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from i2vkit.media.video_facts import cut_error
from i2vkit.registry import READERS
from i2vkit.utils.json_files import read_json

# Columns of files that have a row, or an array, for each frame as it is stored.
_BY_FRAME = ("landmarks", "joints", "boxes", "maps")
_COLUMNS = ("path", "person", "label", "num_frames", "fps")


@READERS.register_module()
class ClipFolder(DatasetReader):
    """A reader of clips as ``root/person/label/clip.mp4``, or as images ``root/person/label/clip/*.png``.

    If ``root/index.csv`` exists, it lists the clips. Its columns are path (of a video or a folder of images, relative
    to ``root``), person, label, num_frames and fps. All but path may be empty, and then come from the path and the
    file. Other columns become the clip's ``metadata``: as a path if they name a file below ``root``, otherwise as text.

    Args:
        root: Folder of the clips.
        labels: Names of the labels in the order of their class indices. By default they are sorted.
        help: Last sentence of the error for missing data: whom to ask, or which command to run.
        fps: Frames a second of clips for which neither the table nor the file has a rate. Default 25.
        framing: The crop of faces in the clips, which a picture that is animated gets too: "eyes" or "box", or "box"
            and its margin, as in "box 0.3". By default that which ``prepare_data.py`` has noted in ``root``, if any.
        on_error: "raise" (the default) ends with one error that lists all clips that are missing, cut or broken. "skip"
            leaves them out, and the index counts them.
    """

    def __init__(
        self,
        root: str,
        labels: list[str] | None = None,
        help: str | None = None,
        fps: float | None = None,
        on_error: OnError = "raise",
        framing: str | None = None,
    ):
        self.root = Path(root)
        self.labels = labels
        self.fps = fps
        self.on_error = on_error
        self.framing = framing
        self.help = help or "docs/your_data.md shows how clips are laid out."

    def facts(self) -> DataFacts:
        """Return the labels and the frames a second, as they were given or else as the folder's index lists them."""
        table = self.root / "index.csv"
        rows = read_rows(table, ("path",)) if lexists(table) else []
        labels = self.labels if self.labels is not None else self._labels_on_disk(rows)
        rates = {rate for row in rows if (rate := row.rate("fps")) is not None}
        fps = self.fps or (rates.pop() if len(rates) == 1 else None)
        return DataFacts(
            labels=None if labels is None else tuple(labels), fps=fps, framing=self.framing or _noted_framing(self.root)
        )

    def index(self) -> ClipIndex:
        """List the clips.

        Raises:
            DataError: There is none, clips are missing, cut or broken (see ``on_error``), or a label is not among
                ``labels``.
        """
        table = self.root / "index.csv"
        skipped: list[tuple[str, str]] = []
        broken = BrokenClips(self.on_error)
        records = self._listed(table, broken) if lexists(table) else self._found(skipped, broken)
        skipped += broken.skipped(str(self.root))
        if not records:
            notes = "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
            raise missing_data("person/label/clip (a video or a folder of images)", self.root, notes + self.help)
        labels = self.labels or sorted({record.label for record in records if record.label is not None})
        for record in records:
            if record.label is not None and record.label not in labels:
                raise DataError(f"clip {record.name} of {self.root} has label {record.label}, not one of {labels}")
        return ClipIndex(records, list(labels), skipped)

    def _labels_on_disk(self, rows: list[Row]) -> list[str] | None:
        """Return the labels of the table's rows, or else the names of the folders that hold clips, sorted."""
        if rows:
            parts = [Path(row["path"]).parts for row in rows]
            named = [
                row.get("label", place[1] if len(place) > 2 else None) for row, place in zip(rows, parts, strict=True)
            ]
            return sorted({label for label in named if label is not None})
        if not self.root.is_dir():
            return None
        folders = [label for person in subfolders(self.root) for label in subfolders(person)]
        return sorted({folder.name for folder in folders if any(map(_is_clip, folder.iterdir()))})

    def _listed(self, table: Path, broken: BrokenClips) -> list[ClipRecord]:
        rows = read_rows(table, ("path",))
        check_each(rows, self._check_row)
        paths = [row.file_below("path", self.root) for row in rows]
        if self.on_error == "raise":
            check_listed(table, paths, self.help)
        records = []
        with ClipFacts(self.root, len(rows)) as facts:
            for path, row in zip(paths, rows, strict=True):
                with broken.noting(row["path"]):
                    records.append(self._record(path, row, facts))
        return records

    def _check_row(self, row: Row) -> None:
        """Raise ``DataError`` for a value of a row that makes no sense."""
        row.file_below("path", self.root)
        row.whole_number("num_frames")
        row.rate("fps")

    def _found(self, skipped: list[tuple[str, str]], broken: BrokenClips) -> list[ClipRecord]:
        with ClipFacts(self.root) as facts:
            return self._found_with(facts, skipped, broken)

    def _found_with(self, facts: ClipFacts, skipped: list[tuple[str, str]], broken: BrokenClips) -> list[ClipRecord]:
        records = []
        for label in (label for person in subfolders(self.root) for label in subfolders(person)):
            for path in sorted(label.iterdir()):
                if path.name[0] == ".":
                    continue
                if _is_clip(path) or _is_animation(path, broken, facts):
                    with broken.noting(path.relative_to(self.root).as_posix()):
                        records.append(self._record(path, Row({}), facts))
                elif path.is_dir():
                    skipped.append((str(path.relative_to(self.root)), "a folder without images"))
                elif path.suffix.lower() in IMAGE_SUFFIXES:
                    skipped.append((str(path.relative_to(self.root)), "an image outside the folder of a clip"))
        return records

    def _record(self, path: Path, row: Row, known: ClipFacts) -> ClipRecord:
        facts, is_folder = known.of(path), path.is_dir()
        if facts.cut:
            raise cut_error(path, facts.num_stored)
        if is_folder and not facts.num_stored:
            raise row.error(f"{path} holds no images")
        relative = path.relative_to(self.root)
        name = relative if is_folder else relative.with_suffix("")
        stated = row.whole_number("num_frames")
        # A table, and files with a row for each frame, count the frames as they are stored.
        by_frame = stated is not None or any(name in row for name in _BY_FRAME)
        count = facts.num_stored if by_frame else facts.num_frames
        if stated not in (None, count):
            what = "images" if is_folder else "frames"
            raise row.error(f"{path} holds {count} {what}, index.csv says {stated}.\n{self.help}")
        frames: FrameFolder | VideoFile = known.folder(path) if is_folder else VideoFile(path, as_stored=by_frame)
        return ClipRecord(
            name=name.as_posix(),
            frames=frames,
            person=row.get("person", relative.parts[0]),
            label=row.get("label", relative.parts[1] if len(relative.parts) > 2 else None),
            num_frames=count,
            fps=row.rate("fps") or (facts.stored_fps if by_frame else facts.fps) or self.fps or 25.0,
            metadata={key: self._metadata_value(value) for key, value in row.items() if key not in _COLUMNS},
        )

    def _metadata_value(self, value: str) -> Path | str:
        return self.root / value if (self.root / value).exists() else value


def _noted_framing(root: Path) -> str | None:
    """Return the crop of faces that the preparation of a folder has noted, or None."""
    try:
        noted = read_json(root / "prepared.json")
    except (OSError, ValueError):
        return None
    if not isinstance(noted, dict):
        return None
    margin = noted.get("margin", 0.1)
    names = {"EyeAlignment": "eyes", "FirstFrameBox": f"box {margin:g}" if isinstance(margin, int | float) else None}
    return names.get(str(noted.get("framing")))


def _is_clip(path: Path) -> bool:
    """Return True for a video and for a folder with images, unless they are hidden."""
    visible = not path.name.startswith(".")
    return visible and (path.suffix.lower() in VIDEO_SUFFIXES or (path.is_dir() and _holds_images(path)))


def _is_animation(path: Path, broken: BrokenClips, facts: ClipFacts) -> bool:
    """Return True for an animated PNG, WebP or AVIF among the clips. A broken file is noted."""
    if path.suffix.lower() not in IMAGE_SUFFIXES or path.is_dir():
        return False
    with broken.noting(path.name):
        return facts.of(path).num_stored > 1
    return False


def _holds_images(folder: Path) -> bool:
    """Return True if a folder holds a visible image. It stops at the first."""
    with os.scandir(folder) as entries:
        return any(entry.name[0] != "." and entry.name.lower().endswith(IMAGE_SUFFIXES) for entry in entries)
