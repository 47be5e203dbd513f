"""A reader of Penn Action, as its owners hand it out."""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import missing_data, subfolders
from i2vkit.datasets.formats.matlab import read_mat
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import DataError
from i2vkit.media import image_paths
from i2vkit.registry import READERS

# The eight of the 15 actions that show a whole person, which FRGAN uses, as Penn spells them.
LABELS = (
    "baseball_pitch",
    "baseball_swing",
    "clean_and_jerk",
    "golf_swing",
    "jump_rope",
    "jumping_jacks",
    "tennis_forehand",
    "tennis_serve",
)
NUM_JOINTS = 13
FPS = 25.0  # of playing; the films were gathered on the web and the labels give no rate
FRGAN_SETS = ("forecast", "refine", "test")

# How many folders down from the root the one with frames/ and labels/ is looked for.
_DEPTH = 3
_PARTS = ("frames", "labels", "truth")


@READERS.register_module()
class PennAction(DatasetReader):
    """A reader of Penn Action: 2326 clips of 15 actions, within 640x480, with joints and a box on every frame.

    It reads ``[wrappers/]frames/0001/000001.jpg`` and ``labels/0001.mat``. No person is named, so each clip counts as a
    person of its own, by its number. A clip's ``metadata`` holds

    - ``joints`` (T, 13, 2), NaN where the labels give no place. Hidden joints are labelled too and are kept. Joints out
    of the picture are labelled at its first corner, and these are the unknown ones.
    - ``boxes`` (T, 4), NaN where a box is empty.
    - ``split``, "train" or "test", as Penn divides its clips.
    - ``frgan``, the part of FRGAN's division, see ``two_stage_split``.

    The labels count pixels from 1, as MATLAB does, so that a point at 1, 1 is at 0, 0 here. The owners do not say so.
    If it were wrong, everything would be off by one pixel of 640. If a clip has fewer boxes, joints or images than the
    others (often the last box is missing), the frames that have all of them are the clip.

    Args:
        root: Any folder above ``frames`` and ``labels``.
        labels: Actions whose clips are read, in the order of their class indices. By default the eight that FRGAN uses.

    Source: Zhang et al., "From Actemes to Action: A Strongly-supervised Representation for Detailed Action
    Understanding", 2013.
    """

    def __init__(self, root: str, labels: Sequence[str] = LABELS):
        self.root = Path(root)
        self.labels = list(labels)

    def facts(self) -> DataFacts:
        """Return the actions that are read and the frames a second of playing."""
        return DataFacts(labels=tuple(self.labels), fps=FPS)

    def index(self) -> ClipIndex:
        """List the clips by number. Broken ones are skipped.

        Raises:
            DataError: There is none.
        """
        base = self._base()
        skipped: list[tuple[str, str]] = []
        marked: dict[str, ClipLabels] = {}
        others: Counter[str] = Counter()
        for path in sorted((base / "labels").glob("[0-9]*.mat")):
            try:
                labels = read_labels(path)
            except DataError as error:
                skipped.append((path.stem, str(error)))
                continue
            if labels.action in self.labels:
                marked[path.stem] = labels
            else:
                others[labels.action] += 1
        sets = two_stage_split({number: labels.action for number, labels in marked.items()})
        records = []
        for number, labels in marked.items():
            try:
                records.append(_record(base / "frames" / number, labels, sets[number]))
            except DataError as error:
                skipped.append((number, str(error)))
        skipped += [(action, f"{count} clips of an action that is not asked for") for action, count in others.items()]
        if not records:
            raise self._missing(skipped)
        _warn_of_trimmed(self.root, records, marked)
        return ClipIndex(records, self.labels, skipped)

    def _base(self) -> Path:
        """Find the folder that holds ``frames`` and ``labels``."""
        level = [self.root]
        for _ in range(_DEPTH + 1):
            for folder in level:
                if (folder / "frames").is_dir() and (folder / "labels").is_dir():
                    return folder
            level = [child for folder in level for child in subfolders(folder) if child.name not in _PARTS]
        raise self._missing([])

    def _missing(self, skipped: list[tuple[str, str]]) -> DataError:
        notes = "".join(f"Skipped {what}: {why}\n" for what, why in skipped[:5])
        if self.root.name in _PARTS or self.root.parent.name in _PARTS:
            above = self.root.absolute().parent
            notes += f"Give the folder above the two: {above if self.root.name in _PARTS else above.parent}\n"
        return missing_data(
            f"frames/0001/000001.jpg and labels/0001.mat, at most {_DEPTH} folders down,",
            self.root,
            f"{notes}Penn Action (Penn_Action.tar.gz, 3 GB) needs no form: dreamdragon.github.io/PennAction, of the "
            "GRASP laboratory, University of Pennsylvania.\n"
            f"For a synthetic data set: python tools/synthesize_data.py penn_action --out {self.root}",
        )


@dataclass(frozen=True)
class ClipLabels:
    """The labels of a clip: its action, True if Penn trains on it, joints (T, 13, 2) and boxes (T, 4)."""

    action: str
    trains: bool
    joints: np.ndarray
    boxes: np.ndarray


def read_labels(path: Path) -> ClipLabels:
    """Read one ``labels/0001.mat``. Pixels are counted from 0, see ``PennAction``.

    Raises:
        DataError: The file cannot be read, or is not one of Penn Action's.
    """
    given = read_mat(path)
    if absent := [name for name in ("action", "train", "x", "y", "visibility", "bbox") if name not in given]:
        raise DataError(f"{path} has no field {', '.join(absent)}; it has {', '.join(sorted(given)) or 'none'}")
    try:
        x, y, visible = (np.reshape(given[name], (-1, NUM_JOINTS)).astype(float) for name in ("x", "y", "visibility"))
        joints = np.stack([x, y], axis=-1)  # twice (T, 13) -> (T, 13, 2)
        boxes = np.reshape(given["bbox"], (-1, 4)).astype(float)  # a clip of one frame has (4,) -> (1, 4)
        trains = int(given["train"]) == 1
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is none of Penn Action's: {error}") from error
    # Joints out of the picture are labelled within the first pixels.
    joints[(joints.sum(axis=-1) <= 3) & (visible == 0)] = np.nan
    boxes[(boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])] = np.nan
    # A box names its first and last pixels, counted from 1. Here boxes are the edges of pixels.
    return ClipLabels(str(given["action"]), trains, joints - 1, boxes - np.array([1, 1, 0, 0]))


def two_stage_split(actions: Mapping[str, str]) -> dict[str, str]:
    """Divide clips among FRGAN's two trainings and its test, a third of each action to each.

    FRGAN does not say which clips it takes, so this is our choice. Thirds are runs of numbers, because clips that
    follow each other may be cut from one film.

    Args:
        actions: Action of each clip by its number.

    Returns:
        "forecast", "refine" or "test" of each clip by its number.

    >>> two_stage_split({"0001": "golf_swing", "0002": "golf_swing", "0003": "jump_rope", "0004": "golf_swing"})
    {'0001': 'forecast', '0002': 'refine', '0004': 'test', '0003': 'forecast'}
    """
    by_action = defaultdict(list)
    for number in sorted(actions):
        by_action[actions[number]].append(number)
    return {
        number: FRGAN_SETS[place * len(FRGAN_SETS) // len(numbers)]
        for numbers in by_action.values()
        for place, number in enumerate(numbers)
    }


def _record(folder: Path, labels: ClipLabels, frgan: str) -> ClipRecord:
    paths = image_paths(folder) if folder.is_dir() else []
    length = min(len(paths), len(labels.joints), len(labels.boxes))
    if not length:
        raise DataError(f"no images in {folder}" if not paths else "its labels are empty")
    for place, path in enumerate(paths[:length], start=1):
        if path.stem != f"{place:06d}":
            raise DataError(f"{folder} has no image {place:06d}: labels and images would not be of the same frame")
    return ClipRecord(
        name=f"{folder.name}/{labels.action}/{folder.name}",
        frames=FrameFolder(tuple(paths[:length])),
        person=folder.name,
        label=labels.action,
        num_frames=length,
        fps=FPS,
        metadata={
            "joints": labels.joints[:length],
            "boxes": labels.boxes[:length],
            "split": "train" if labels.trains else "test",
            "frgan": frgan,
        },
    )


def _warn_of_trimmed(root: Path, records: Sequence[ClipRecord], marked: Mapping[str, ClipLabels]) -> None:
    """Warn once of the number of clips that lost frames."""
    few_boxes = [r for r in records if len(marked[r.person].boxes) < len(marked[r.person].joints)]
    few_images = [r for r in records if r.num_frames < min(len(marked[r.person].joints), len(marked[r.person].boxes))]
    for clips, why in (
        (few_boxes, "fewer boxes than frames"),
        (few_images, "fewer images than labels (if these are many, the archive was not wholly unpacked)"),
    ):
        if clips:
            print_log(
                f"{root}: {len(clips)} clips, {clips[0].person} for one, have {why}: trimmed to the shorter",
                logger="current",
                level=logging.WARNING,
            )
