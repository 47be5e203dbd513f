"""A reader of strips: one image a clip, with its square frames side by side."""

from collections.abc import Sequence
from os.path import lexists
from pathlib import Path

from PIL import Image

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import check_listed, missing_data, subfolders
from i2vkit.datasets.formats.tables import Row, check_each, read_rows
from i2vkit.datasets.frame_sources import FrameStrip
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError, MediaError
from i2vkit.media import IMAGE_SUFFIXES, image_paths
from i2vkit.registry import READERS

# Names of MoCoGAN's folders for the actions of Weizmann.
_MOCOGAN_ACTIONS = {"0": "wave1", "1": "wave2", "3": "jack", "4": "bend"}

_HELP = (
    "Weizmann Actions as strips: take the folder data/actions of github.com/sergeytulyakov/mocogan and put it there."
)


@READERS.register_module()
class FrameStrips(DatasetReader):
    """A reader of clips as ``root/[folders/]clip.jpg``, square frames from left to right.

    ``root/index.csv`` lists them: columns file, action and, where known, subject, mirrored and num_frames. A clip
    without a subject counts as a person of its own. Without the table the folder's name is the action, and numbered
    files in numbered folders follow MoCoGAN's Weizmann: subject = number // 8, odd numbers are mirror images, folders
    0, 1, 3 and 4 are wave1, wave2, jack and bend.

    Args:
        root: Folder of the strips.
        fps: Frames a second. Default 25.
        help: Last sentence of the error for missing data.
        labels: Names of the labels in the order of their class indices. By default they are sorted by name.
    """

    def __init__(self, root: str, fps: float = 25.0, help: str | None = None, labels: Sequence[str] | None = None):
        self.root = Path(root)
        self.labels = None if labels is None else list(labels)
        self.fps = fps
        self.help = _HELP if help is None else help

    def facts(self) -> DataFacts:
        """Return the labels, as given or as ``index.csv`` lists them, and the frames a second."""
        table = self.root / "index.csv"
        if self.labels is not None or not lexists(table):
            return DataFacts(labels=None if self.labels is None else tuple(self.labels), fps=self.fps)
        return DataFacts(labels=tuple(sorted({row["action"] for row in read_rows(table, ("action",))})), fps=self.fps)

    def index(self) -> ClipIndex:
        """List the clips.

        Raises:
            DataError: There is none, or one is missing or is not a strip of square frames.
            MediaError: An image is broken.
        """
        table = self.root / "index.csv"
        rows = read_rows(table, ("file", "action")) if lexists(table) else self._found()
        if not rows:
            raise missing_data("index.csv, or folders of strips, one an action,", self.root, self.help)
        check_each(rows, self._check_row)
        check_listed(table, (row.file_below("file", self.root) for row in rows), self.help)
        found = sorted({row["action"] for row in rows})
        labels = found if self.labels is None else self.labels
        if unknown := [label for label in found if label not in labels]:
            raise DataError(f"strips in {self.root} show {unknown[0]}, which is not one of the labels {labels}")
        return ClipIndex([self._record(row) for row in rows], list(labels))

    def _check_row(self, row: Row) -> None:
        """Raise ``DataError`` for a value of a row that makes no sense."""
        row.file_below("file", self.root)
        row.whole_number("num_frames")

    def _found(self) -> list[Row]:
        folders = [self.root, *subfolders(self.root)]
        folders += [child for folder in folders[1:] for child in subfolders(folder)]
        return [self._row(path) for folder in folders[1:] for path in image_paths(folder)]

    def _row(self, path: Path) -> Row:
        row = Row({"file": path.relative_to(self.root).as_posix(), "action": path.parent.name}, str(path))
        if path.stem.isdecimal() and path.parent.name in _MOCOGAN_ACTIONS:
            number = int(path.stem)
            row |= {"subject": str(number // 8), "mirrored": str(number % 2)}
            row["action"] = _MOCOGAN_ACTIONS[path.parent.name]
        return row

    def _record(self, row: Row) -> ClipRecord:
        path = self.root / row["file"]
        size, num_frames = _strip_size(path)
        stated = row.whole_number("num_frames")
        if stated not in (None, num_frames):
            raise row.error(f"{path} holds {num_frames} frames of {size}x{size}, index.csv says {stated}")
        name = f"{row['action']}/{path.stem}"
        return ClipRecord(
            name=name,
            frames=FrameStrip(path, size),
            person=row.get("subject", name),
            label=row["action"],
            num_frames=num_frames,
            fps=self.fps,
            metadata={"mirrored": row["mirrored"] == "1"} if "mirrored" in row else {},
        )


def _strip_size(path: Path) -> tuple[int, int]:
    """Read the side of a frame and the number of frames from the image's header."""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise DataError(f"{path} is not an image")
    try:
        with Image.open(path) as image:
            width, height = image.size
    except Exception as error:  # Pillow raises almost anything on broken files
        raise MediaError(f"{path} cannot be read as an image: {error}") from error
    if width % height:
        raise DataError(f"{path} is {width}x{height}: not square frames side by side")
    return height, width // height
