"""A reader of NATOPS, as its owners hand it out: videos of twenty repeats each, and a table of the repeats' frames."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import files_below, missing_data
from i2vkit.datasets.frame_sources import VideoSegment
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError, MediaError
from i2vkit.media import whole_facts
from i2vkit.registry import READERS

GESTURES = {
    "gesture01": "I have command",
    "gesture02": "all clear",
    "gesture03": "not clear",
    "gesture04": "spread wings",
    "gesture05": "fold wings",
    "gesture06": "lock wings",
    "gesture07": "up hook",
    "gesture08": "down hook",
    "gesture09": "remove tiedowns",
    "gesture10": "remove chocks",
    "gesture11": "insert chocks",
    "gesture12": "move ahead",
    "gesture13": "turn left",
    "gesture14": "turn right",
    "gesture15": "next marshaller",
    "gesture16": "slow down",
    "gesture17": "stop",
    "gesture18": "nosegear steering",
    "gesture19": "hot brakes",
    "gesture20": "brakes on",
    "gesture21": "brakes off",
    "gesture22": "install tiedowns",
    "gesture23": "fire",
    "gesture24": "cut engine",
}
LABELS = tuple(GESTURES)
FPS = 20.0
SEGMENTATION = "segmentation.txt"

# How many folders down from the root videos are looked for: wrappers, data/, gestureXX/.
_DEPTH = 4
# Folders beside the videos of a rendered set.
_SIDECAR_FOLDERS = ("truth", "joints")
_NAME = re.compile(r"g(\d\d)s(\d\d)\.avi", re.IGNORECASE)

Video = tuple[int, int]  # gesture and subject, from 1


@READERS.register_module()
class Natops(DatasetReader):
    """A reader of NATOPS: 24 gestures, 20 subjects, 20 repeats of each, 320x240 at 20 frames a second.

    It reads ``[wrappers/]gesture01/g01s01.avi``, but neither its mask ``g01s01m.avi`` nor its depth ``g01s01d.avi``.
    The table ``segmentation.txt`` is in ``root`` or between it and the videos. One repeat is one clip. A video is
    skipped if the table gives another number of repeats than ``repeats``, or a repeat beyond the video's end.
    ``GESTURES`` gives the meaning of the labels. If ``joints/gesture01/g01s01r01.csv`` exists (rendered data), it is
    ``metadata["joints"]``.

    Args:
        root: Any folder above the videos.
        repeats: Number of repeats in each video. None accepts any number. Default 20.

    Source: Song et al., "Tracking Body and Hands for Gesture Recognition: NATOPS Aircraft Handling Signals Database",
    2011.
    """

    def __init__(self, root: str, repeats: int | None = 20):
        self.root = Path(root)
        self.repeats = repeats

    def facts(self) -> DataFacts:
        """Return the 24 gestures and the frames a second of the recordings."""
        return DataFacts(labels=LABELS, fps=FPS)

    def index(self) -> ClipIndex:
        """List the repeats, those of a video in a row.

        Raises:
            DataError: There is no usable video, or no table.
        """
        videos: dict[Video, Path] = {}
        tables = []
        skipped = []
        for path in files_below(self.root, _DEPTH, skip=_SIDECAR_FOLDERS):
            if match := _NAME.fullmatch(path.name):
                video = int(match[1]), int(match[2])
                if video in videos:
                    skipped.append((str(path.relative_to(self.root)), f"a copy of {videos[video]}"))
                videos.setdefault(video, path)
            elif path.name.lower() == SEGMENTATION:
                tables.append(path)
        if not videos:
            raise self._missing()
        segments = read_segmentation(self._table(tables, videos), set(videos))
        records = []
        for video, path in sorted(videos.items()):
            try:
                records += self._clips(video, path, segments.get(video))
            except (DataError, MediaError) as error:
                skipped.append((str(path.relative_to(self.root)), str(error)))
        if not records:
            raise DataError(f"none of the {len(videos)} videos in {self.root} can be used; {skipped[0][1]}")
        return ClipIndex(records, list(LABELS), skipped)

    def _table(self, tables: list[Path], videos: Mapping[Video, Path]) -> Path:
        if tables:
            return tables[0]
        first = min(videos.values())
        above = f", or give the folder above: {self.root.absolute().parent}" if first.parent == self.root else ""
        raise DataError(
            f"{len(videos)} videos, but no {SEGMENTATION} in {self.root.absolute()} or up to {_DEPTH} folders down: it "
            f"gives the frames of the repeats in {first.name}, and comes with NATOPS. Put it beside the folders of the "
            f"gestures{above}"
        )

    def _clips(self, video: Video, path: Path, segments: list["Segment"] | None) -> list[ClipRecord]:
        gesture, subject = video
        if not 1 <= gesture <= len(LABELS):
            raise DataError(f"there are gestures 1 to {len(LABELS)}")
        if segments is None:
            raise DataError(f"{SEGMENTATION} has no entry for gesture {gesture} of subject {subject}")
        if twice := len(segments) - len({segment.repeat for segment in segments}):
            raise DataError(f"{SEGMENTATION} gives {twice} of its repeats twice")
        if self.repeats not in (None, len(segments)):
            raise DataError(
                f"{SEGMENTATION} gives {len(segments)} repeats, not {self.repeats}; if that is right, say "
                f"repeats={len(segments)} (--repeats {len(segments)} when preparing)"
            )
        facts = whole_facts(path)
        length, fps = facts.num_stored, facts.stored_fps or FPS
        late = [segment for segment in segments if segment.last > length]
        if late:
            raise DataError(
                f"{SEGMENTATION} puts repeat {late[0].repeat} at frames {late[0].first} to {late[0].last}, but the "
                f"video has {length}"
            )
        return [self._record(gesture, subject, path, segment, fps) for segment in segments]

    def _record(self, gesture: int, subject: int, path: Path, segment: "Segment", fps: float) -> ClipRecord:
        label, person = f"gesture{gesture:02d}", f"s{subject:02d}"
        clip = f"g{gesture:02d}{person}r{segment.repeat:02d}"
        bases = [folder for folder in path.parents if folder.is_relative_to(self.root)]
        joints = [table for base in bases if (table := base / "joints" / label / f"{clip}.csv").exists()]
        return ClipRecord(
            name=f"{person}/{label}/{clip}",
            frames=VideoSegment(path, segment.first - 1, segment.last),
            person=person,
            label=label,
            num_frames=segment.last - segment.first + 1,
            fps=fps,
            metadata={"joints": joints[0]} if joints else {},
        )

    def _missing(self) -> Exception:
        return missing_data(
            f"gesture01/g01s01.avi, ... at most {_DEPTH} folders down",
            self.root,
            f"NATOPS (gesture01.zip to gesture24.zip, and {SEGMENTATION}) is handed out by MIT's Computer Science and "
            "Artificial Intelligence Laboratory: github.com/yalesong/natops says how.\n"
            f"For a synthetic data set: python tools/synthesize_data.py natops --out {self.root}",
        )


@dataclass(frozen=True)
class Segment:
    """One repeat: frames ``first`` to ``last`` of a video, counted from 1, both included."""

    repeat: int
    first: int
    last: int


def read_segmentation(path: Path, videos: set[Video]) -> dict[Video, list[Segment]]:
    """Read the frames of all repeats, by (gesture, subject), sorted by repeat.

    The table has sections: a header of three whole numbers, two of which are gesture and subject, then a line
    ``repeat:first,last`` for each repeat. The comments, ``// Subject 7``, and the gestures and subjects of ``videos``
    tell which of the two comes first.

    Raises:
        DataError: A line has neither form, or no section is for one of ``videos``. The message names the line.
    """
    sections: list[tuple[int | None, int, int, list[Segment]]] = []
    subject = None
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        text = line.replace(" ", "").replace("\t", "").removeprefix("\ufeff")
        if match := re.match(r"//subject(\d+)", text, re.IGNORECASE):
            subject = int(match[1])
        elif match := re.fullmatch(r"(\d+),(\d+),\d+", text):
            sections.append((subject, int(match[1]), int(match[2]), []))
        elif (match := re.fullmatch(r"(\d+):(\d+),(\d+)", text)) and sections:
            repeat, first, last = map(int, match.groups())
            sections[-1][3].append(_segment(repeat, first, last, where=f"{path}, line {number}"))
        elif text and not text.startswith("//"):
            raise DataError(f"{path}, line {number}: {line.strip()!r} is neither a header a,b,c nor repeat:first,last")
    # Collect the repeats under both readings of the headers. The one that fits more videos is right.
    subject_first: defaultdict[Video, list[Segment]] = defaultdict(list)
    gesture_first: defaultdict[Video, list[Segment]] = defaultdict(list)
    for said, one, other, segments in sections:
        if said in (None, one):
            subject_first[other, one] += segments
        if said in (None, other):
            gesture_first[one, other] += segments
    found = max(subject_first, gesture_first, key=lambda order: len(videos & set(order)))
    if not videos & set(found):
        raise DataError(f"{path} has {len(sections)} sections, but none for one of the {len(videos)} videos")
    print_log(f"{path}: headers are {'subject,gesture' if found is subject_first else 'gesture,subject'}", "current")
    return {video: sorted(segments, key=lambda segment: segment.repeat) for video, segments in found.items()}


def _segment(repeat: int, first: int, last: int, where: str) -> Segment:
    if not 1 <= first <= last:
        raise DataError(f"{where}: repeat {repeat} from frame {first} to {last}: frames are counted from 1")
    return Segment(repeat, first, last)
