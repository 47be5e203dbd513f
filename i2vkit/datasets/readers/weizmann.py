"""A reader of Weizmann Actions, as its owners hand it out."""

import re
from pathlib import Path

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import files_below, missing_data
from i2vkit.datasets.frame_sources import VideoFile
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import MediaError
from i2vkit.media import whole_facts
from i2vkit.registry import READERS

LABELS = ("bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2")
FPS = 25.0
PEOPLE = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
MASKS = "classification_masks.mat"

# Videos are looked for this many folders down from the root: wrappers, and one for each action.
DEPTH = 3
# Folders beside the videos of a rendered or prepared set.
_SIDECAR_FOLDERS = ("truth", "joints")
# The digit of wave1 and wave2 belongs to the action; a digit after the action counts takes.
_NAME = re.compile(rf"(?P<person>[a-z]+)_(?P<label>{'|'.join(LABELS)})(?P<take>[12]?)\.avi", re.IGNORECASE)


@READERS.register_module()
class Weizmann(DatasetReader):
    """A reader of Weizmann Actions: 9 people, 10 actions, 180x144 at 25 frames a second, one clip a file.

    It reads ``daria_bend.avi`` and the like, in ``root`` or up to three folders down, all together or with a folder for
    each action. Three clips, ``lena_run``, ``lena_skip`` and ``lena_walk``, come twice, as ``lena_run1.avi`` and
    ``lena_run2.avi``. The second takes are left out by default, as is usual. If ``joints/daria_bend.csv`` exists
    (rendered data), it is the clip's ``metadata["joints"]``.

    Args:
        root: Folder of the videos.
        second_takes: Read the second takes too, 93 clips in all. Default False.

    Source: Gorelick et al., "Actions as Space-Time Shapes", 2007.
    """

    def __init__(self, root: str, second_takes: bool = False):
        self.root = Path(root)
        self.second_takes = second_takes

    def facts(self) -> DataFacts:
        """Return the ten actions and the frames a second of the recordings."""
        return DataFacts(labels=LABELS, fps=FPS)

    def index(self) -> ClipIndex:
        """List the clips by person and label. Broken ones are skipped.

        Raises:
            DataError: There is none.
        """
        records: dict[str, ClipRecord] = {}
        skipped = []
        for path in files_below(self.root, DEPTH, skip=_SIDECAR_FOLDERS):
            match = _NAME.fullmatch(path.name)
            if match is None:
                if path.suffix.lower() == ".avi":
                    skipped.append((str(path.relative_to(self.root)), "no name like daria_bend.avi or lena_run1.avi"))
                continue
            try:
                record = self._record(path, match["person"].lower(), match["label"].lower())
            except MediaError as error:
                skipped.append((str(path.relative_to(self.root)), str(error)))
                continue
            if match["take"] == "2" and not self.second_takes:
                skipped.append((record.name, "the second take of a clip; second_takes=True uses it"))
            elif record.name in records:
                first = records[record.name].frames
                assert isinstance(first, VideoFile)  # as ``_record`` makes them
                skipped.append((str(path.relative_to(self.root)), f"a copy of {first.path}"))
            else:
                records[record.name] = record
        if not records:
            raise self._missing(skipped)
        return ClipIndex([records[name] for name in sorted(records)], list(LABELS), skipped)

    def _record(self, path: Path, person: str, label: str) -> ClipRecord:
        clip, facts = path.stem.lower(), whole_facts(path)
        bases = [folder for folder in path.parents if folder.is_relative_to(self.root)]
        joints = [table for base in bases if (table := base / "joints" / f"{clip}.csv").exists()]
        return ClipRecord(
            name=f"{person}/{label}/{clip}",
            frames=VideoFile(path, as_stored=True),
            person=person,
            label=label,
            num_frames=facts.num_stored,
            fps=facts.stored_fps or FPS,
            metadata={"joints": joints[0]} if joints else {},
        )

    def _missing(self, skipped: list[tuple[str, str]]) -> Exception:
        notes = "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
        return missing_data(
            f"daria_bend.avi, daria_jack.avi, ... at most {DEPTH} folders down",
            self.root,
            f"{notes}Weizmann Actions (bend.zip to wave2.zip, and {MASKS}) needs no form: "
            "www.wisdom.weizmann.ac.il/~vision/SpaceTimeActions.html. Its four actions as 64x64 strips are read by "
            "FrameStrips.\n"
            f"For a synthetic data set: python tools/synthesize_data.py weizmann --out {self.root}",
        )
