"""A reader of the prepared layout, which is also the layout of your own clips."""

import json
from pathlib import Path

from i2vkit.datasets.broken_clips import BrokenClips, OnError
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord, FrameFolder, VideoFile
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import check_listed, missing_data, parse_whole_number, read_table, subfolders
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError, MediaError
from i2vkit.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, image_paths, video_facts, whole_facts
from i2vkit.registry import READERS

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
        rows = read_table(table, ("path",)) if table.exists() else []
        labels = self.labels if self.labels is not None else self._labels_on_disk(rows)
        rates = {float(row["fps"]) for row in rows if "fps" in row}
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
        records = self._listed(table, broken) if table.exists() else self._found(skipped, broken)
        skipped += broken.skipped(str(self.root))
        if not records:
            notes = "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
            raise missing_data("person/label/clip (a video or a folder of images)", self.root, notes + self.help)
        labels = self.labels or sorted({record.label for record in records if record.label is not None})
        for record in records:
            if record.label is not None and record.label not in labels:
                raise DataError(f"clip {record.name} of {self.root} has label {record.label}, not one of {labels}")
        return ClipIndex(records, list(labels), skipped)

    def _labels_on_disk(self, rows: list[dict[str, str]]) -> list[str] | None:
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
        rows = read_table(table, ("path",))
        if self.on_error == "raise":
            check_listed(table, [row["path"] for row in rows], self.help)
        records = []
        for row in rows:
            with broken.noting(row["path"]):
                records.append(self._record(self.root / row["path"], row))
        return records

    def _found(self, skipped: list[tuple[str, str]], broken: BrokenClips) -> list[ClipRecord]:
        records = []
        for label in (label for person in subfolders(self.root) for label in subfolders(person)):
            for path in sorted(label.iterdir()):
                if path.name[0] == ".":
                    continue
                if _is_clip(path) or _is_animation(path, broken):
                    with broken.noting(path.relative_to(self.root).as_posix()):
                        records.append(self._record(path, {}))
                elif path.is_dir():
                    skipped.append((str(path.relative_to(self.root)), "a folder without images"))
                elif path.suffix.lower() in IMAGE_SUFFIXES:
                    skipped.append((str(path.relative_to(self.root)), "an image outside the folder of a clip"))
        return records

    def _record(self, path: Path, row: dict[str, str]) -> ClipRecord:
        if not path.exists():  # also a link to a file that is gone
            raise MediaError(f"there is no {path}")
        relative = path.relative_to(self.root)
        name = relative if path.is_dir() else relative.with_suffix("")
        stated = parse_whole_number(row, "num_frames", self.root / "index.csv")
        frames: FrameFolder | VideoFile
        if path.is_dir():
            frames = FrameFolder(tuple(image_paths(path)))
            if stated not in (None, len(frames.paths)):
                raise DataError(f"{path} holds {len(frames.paths)} images, index.csv says {stated}.\n{self.help}")
        else:
            # A table, and files with a row for each frame, count the frames as they are stored.
            by_frame = stated is not None or any(name in row for name in _BY_FRAME)
            frames = VideoFile(path, as_stored=by_frame)
        count, fps = self._length_and_rate(frames, stated, row)
        return ClipRecord(
            name=name.as_posix(),
            frames=frames,
            person=row.get("person", relative.parts[0]),
            label=row.get("label", relative.parts[1] if len(relative.parts) > 2 else None),
            num_frames=count,
            fps=fps,
            metadata={key: self._metadata_value(value) for key, value in row.items() if key not in _COLUMNS},
        )

    def _length_and_rate(
        self, frames: FrameFolder | VideoFile, stated: int | None, row: dict[str, str]
    ) -> tuple[int, float]:
        """Return the number of frames of a clip and its frames a second, from its row, or else from its file.

        Raises:
            MediaError: The file is broken or cut.
        """
        rate = float(row["fps"]) if "fps" in row else None
        if isinstance(frames, FrameFolder):
            return len(frames.paths) if stated is None else stated, rate or self.fps or 25.0
        if stated is not None and rate is not None:
            return stated, rate  # without opening the file
        facts = whole_facts(frames.path)
        own = facts.num_stored if frames.as_stored else facts.num_frames
        return stated or own, rate or (facts.stored_fps if frames.as_stored else facts.fps) or self.fps or 25.0

    def _metadata_value(self, value: str) -> Path | str:
        return self.root / value if (self.root / value).exists() else value


def _noted_framing(root: Path) -> str | None:
    """Return the crop of faces that the preparation of a folder has noted, or None."""
    try:
        noted = json.loads((root / "prepared.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(noted, dict):
        return None
    names = {"EyeAlignment": "eyes", "FirstFrameBox": f"box {noted.get('margin', 0.1):g}"}
    return names.get(str(noted.get("framing")))


def _is_clip(path: Path) -> bool:
    """Return True for a video and for a folder with images, unless they are hidden."""
    visible = not path.name.startswith(".")
    return visible and (path.suffix.lower() in VIDEO_SUFFIXES or (path.is_dir() and bool(image_paths(path))))


def _is_animation(path: Path, broken: BrokenClips) -> bool:
    """Return True for an animated PNG, WebP or AVIF among the clips. A broken file is noted."""
    if path.suffix.lower() not in IMAGE_SUFFIXES or path.is_dir():
        return False
    with broken.noting(path.name):
        return video_facts(path).num_stored > 1
    return False
