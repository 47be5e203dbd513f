"""A reader of the UvA-NEMO smile database, as its owners hand it out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import files_below, find_sidecar_folder, missing_data
from i2vkit.datasets.frame_sources import VideoFile
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import VIDEO_SUFFIXES, whole_facts
from i2vkit.registry import READERS

LABELS = ("deliberate", "spontaneous")
FPS = 50.0

_DEPTH = 4  # how many folders down from the root videos are looked for
_NAME = re.compile(r"(?P<person>\d+)_(?P<kind>deliberate|spontaneous)_(?P<clip>smile_\d+)")
_DETAILS = "*File_Details.txt"
_HEADER_LINES = 5


@READERS.register_module()
class UvaNemo(DatasetReader):
    """A reader of UvA-NEMO: 400 people, 1240 videos of smiles, 643 posed and 597 felt, 1920x1080 at 50 frames a second.

    It reads ``[wrappers/]videos/<person>_<deliberate|spontaneous>_smile_<k>.mp4``. The number of frames comes from the
    container, without decoding. If the owners' table ``UvA-NEMO_Smile_Database_File_Details.txt`` is beside the videos
    or above them, videos that it lists and that are missing are named among the skipped.

    A clip's ``metadata["landmarks"]`` is ``landmarks/<name of the video>.csv``. The folder ``landmarks`` is in
    ``root``, beside the videos or above them (``sidecar_folder``).

    Args:
        root: Any folder above the videos.
        kind: "deliberate" or "spontaneous" reads one kind only. By default both are read.

    Raises:
        ConfigError: There is no such kind.

    Source: Dibeklioglu et al., "Are you really smiling at me?", 2012.
    """

    def __init__(self, root: str, kind: Literal["deliberate", "spontaneous"] | None = None):
        if kind is not None and kind not in LABELS:
            raise ConfigError(f"kind must be one of {', '.join(LABELS)} or None, got {kind!r}")
        self.root = Path(root)
        self.kinds = LABELS if kind is None else (kind,)

    def facts(self) -> DataFacts:
        """Return the kinds of smiles that are read and the frames a second of the recordings."""
        return DataFacts(labels=tuple(self.kinds), fps=FPS)

    def index(self) -> ClipIndex:
        """List the videos. Damaged ones and those with other names are skipped.

        Raises:
            DataError: There is none.
        """
        records: dict[str, ClipRecord] = {}
        skipped, seen = [], set()
        for video in _videos_below(self.root):
            match = _NAME.fullmatch(video.stem)
            seen.add(video.name)
            if match and match["kind"] not in self.kinds:
                continue
            try:
                if not match:
                    raise DataError("its name is not <person>_<deliberate|spontaneous>_smile_<number>")
                record = self._record(video, match)
                if record.name in records:
                    raise DataError(f"a second copy of {record.name}, which was read from another folder")
                records[record.name] = record
            except (DataError, MediaError) as reason:
                skipped.append((video.relative_to(self.root).as_posix(), str(reason)))
        if not records:
            raise self._missing(skipped)
        skipped += [(name, "listed in the file of details, but not there") for name in self._listed() - seen]
        return ClipIndex([records[name] for name in sorted(records)], list(self.kinds), sorted(skipped))

    def sidecar_folder(self, name: str) -> Path:
        """Return the folder ``name`` ("landmarks", "truth") of this copy, or the place where it would be put."""
        return find_sidecar_folder(next(_videos_below(self.root), self.root), self.root, name)

    def _record(self, video: Path, match: re.Match) -> ClipRecord:
        """Describe a video. Raise ``MediaError`` if it cannot be read and ``DataError`` if it is empty."""
        facts = whole_facts(video)
        if not facts.num_stored:
            raise DataError("no frames in it")
        landmarks = find_sidecar_folder(video, self.root, "landmarks") / f"{video.stem}.csv"
        return ClipRecord(
            name=f"{match['person']}/{match['kind']}/{match['clip']}",
            frames=VideoFile(video, as_stored=True),
            person=match["person"],
            label=match["kind"],
            num_frames=facts.num_stored,
            fps=facts.stored_fps or FPS,
            metadata={"landmarks": landmarks} if landmarks.exists() else {},
        )

    def _listed(self) -> set[str]:
        """Return the videos of the wanted kinds in the owners' table: the first column after five header lines."""
        folders = [self.root, *next(_videos_below(self.root)).parents[: _DEPTH + 1]]
        table = next((path for folder in folders for path in sorted(folder.glob(_DETAILS))), None)
        if table is None:
            return set()
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()[_HEADER_LINES:]
        names = {line.split("\t")[0].strip() for line in lines}
        return {name for name in names if (match := _NAME.fullmatch(Path(name).stem)) and match["kind"] in self.kinds}

    def _missing(self, skipped: list[tuple[str, str]]) -> DataError:
        return missing_data(
            f"videos <person>_{'|'.join(self.kinds)}_smile_<number>.mp4, at most {_DEPTH} folders down,",
            self.root,
            "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
            + "UvA-NEMO is given on request by its owners at the University of Amsterdam (www.uva-nemo.org); give the "
            "folder UvA-NEMO_SMILE_DATABASE or any above it.\n"
            f"For a synthetic data set: python tools/synthesize_data.py uva_nemo --out {self.root}",
        )


def _videos_below(root: Path) -> Iterator[Path]:
    """Yield the videos in and below ``root``, without searching the folders beside the data."""
    files = files_below(root, _DEPTH, skip=("landmarks", "truth"))
    return (path for path in files if path.suffix.lower() in VIDEO_SUFFIXES)
