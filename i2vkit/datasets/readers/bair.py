"""A reader of BAIR robot pushing, as Berkeley hands it out, or as SVG's script turns it into PNG files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.facts import DataFacts
from i2vkit.datasets.formats.folders import missing_data, subfolders
from i2vkit.datasets.formats.tfrecords import RecordSpan, decode_example, read_record, record_spans
from i2vkit.datasets.frame_sources import FrameFolder, FrameIndices, FrameSource
from i2vkit.datasets.interfaces import DatasetReader
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import image_paths
from i2vkit.registry import READERS

CAMERAS = ("aux1", "main")
TRUTH_CAMERA = "aux1"  # whose view the ground truth of rendered data shows
SPLITS = ("train", "test")
SIZE = 64  # side of the frames in pixels
NUM_FRAMES = 30
FPS = 10.0  # of playing; the publication gives no rate

_RECORDS, _PICTURES = "softmotion30_44k", "processed_data"
_ADVICE = (
    'The data are public: look for the "BAIR robot pushing dataset (small)", about 30 GB, of Ebert et al. (2017), '
    "Berkeley Artificial Intelligence Research, and unpack it there."
)


@dataclass(frozen=True)
class TfRecordFrames:
    """The frames of one camera in one record."""

    span: RecordSpan
    camera: str
    num_frames: int = NUM_FRAMES

    def read(self, indices: FrameIndices) -> np.ndarray:
        """See ``FrameSource``. The record's CRC is checked."""
        features = _features(self.span)
        return np.stack([self._frame(features, int(index)) for index in indices])

    def __iter__(self) -> Iterator[np.ndarray]:
        features = _features(self.span)
        return (self._frame(features, index) for index in range(self.num_frames))

    def _frame(self, features: dict, index: int) -> np.ndarray:
        name = image_key(index, self.camera)
        pixels = features.get(name)
        if not isinstance(pixels, bytes):
            some = ", ".join(sorted(features)[:3])
            raise MediaError(f"{self.span} has no picture {name}; of {len(features)} features it has {some} ...")
        if len(pixels) != SIZE * SIZE * 3:
            raise MediaError(f"{self.span}: {name} is {len(pixels)} bytes, not {SIZE}x{SIZE}x3 raw RGB")
        return np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE, 3)  # raw bytes -> (H, W, 3)


def image_key(index: int, camera: str) -> str:
    """Return the name of the feature that holds a frame. It is raw RGB, although its name says "encoded".

    >>> image_key(3, "aux1")
    '3/image_aux1/encoded'
    """
    return f"{index}/image_{camera}/encoded"


def _features(span: RecordSpan) -> dict[str, bytes | np.ndarray]:
    data = read_record(span)
    try:
        return decode_example(data)
    except MediaError as error:
        raise MediaError(f"{span} holds {error}") from error


@READERS.register_module()
class Bair(DatasetReader):
    """A reader of BAIR: a robot's arm pushes objects about, in clips of 30 frames of 64x64, seen by two cameras.

    It reads ``[softmotion30_44k/]{train,test}/*.tfrecords``. If there is none, it reads the PNG files that SVG's script
    makes of them, ``[processed_data/]{train,test}/<file>/<k>/<i>.png``. Both give the same names, "train/<file>/<k>", k
    from 1. The data set has about 43,000 clips to train and 256 to test.

    No person is in these clips, so each counts as a person of its own, and none has a label. Records are found by their
    lengths, within seconds, and read when they are needed.

    Args:
        root: Folder of the data.
        camera: "aux1" (the default), which SVG and its followers use, or "main". SVG's PNG files hold aux1 only.
        split: "train", "test", or None (the default) for both.

    Raises:
        ConfigError: There is no such camera or split.

    Source: Ebert et al., "Self-supervised visual planning with temporal skip connections", 2017; Denton and Fergus,
    "Stochastic video generation with a learned prior", 2018 (SVG).
    """

    def __init__(
        self, root: str, camera: Literal["aux1", "main"] = "aux1", split: Literal["train", "test"] | None = None
    ):
        if camera not in CAMERAS or split not in (*SPLITS, None):
            raise ConfigError(
                f"BAIR has the cameras {' and '.join(CAMERAS)} and the splits {' and '.join(SPLITS)}, None for both; "
                f"got camera={camera!r}, split={split!r}"
            )
        self.root = Path(root)
        self.camera = camera
        self.splits = SPLITS if split is None else (split,)

    def facts(self) -> DataFacts:
        """Return the frames a second of playing. The clips have no labels."""
        return DataFacts(labels=(), fps=FPS)

    def index(self) -> ClipIndex:
        """List the clips.

        Raises:
            DataError: There is no clip, or none of that camera.
            MediaError: A file is cut or damaged.
        """
        skipped: list[tuple[str, str]] = []
        if records := self._from_records(skipped):
            self._check_camera(records[0].frames)
            found = f"TFRecord files, camera {self.camera}"
        elif records := self._from_pictures(skipped):
            if self.camera != "aux1":
                raise DataError(
                    f"{self.root} holds BAIR as SVG's PNG files, which show the camera aux1 only: set camera='aux1', "
                    f"or put the TFRecord files ({_RECORDS}) there for camera={self.camera!r}"
                )
            found = "SVG's PNG files, camera aux1"
        else:
            raise self._missing()
        print_log(f"{self.root}: BAIR as {found}, {' and '.join(self.splits)}", logger="current")
        return ClipIndex(records, [], skipped)

    def _from_records(self, skipped: list[tuple[str, str]]) -> list[ClipRecord]:
        records = []
        for split in self.splits:
            for path in _below(self.root, _RECORDS, split, "*.tfrecords"):
                spans = record_spans(path)
                if not spans:
                    skipped.append((f"{split}/{path.stem}", f"{path} is empty"))
                for span in spans:
                    frames = TfRecordFrames(span, self.camera)
                    records.append(_record(f"{split}/{path.stem}/{span.number + 1}", frames, NUM_FRAMES))
        return records

    def _check_camera(self, frames: FrameSource) -> None:
        """Read one frame, so that records of another kind are noticed now and not in a training."""
        try:
            frames.read([0])
        except MediaError as error:
            raise DataError(f"no BAIR record with camera {self.camera}: {error}") from error

    def _from_pictures(self, skipped: list[tuple[str, str]]) -> list[ClipRecord]:
        records = []
        for split in self.splits:
            for folder in _below(self.root, _PICTURES, split, "*"):
                clips = [clip for clip in subfolders(folder) if clip.name.isdecimal()]
                for clip in sorted(clips, key=lambda path: int(path.name)):
                    name, paths = f"{split}/{folder.name}/{clip.name}", tuple(image_paths(clip))
                    if paths:
                        records.append(_record(name, FrameFolder(paths), len(paths)))
                    else:
                        skipped.append((name, f"no images in {clip}"))
        return records

    def _missing(self) -> DataError:
        splits = self.splits[0] if len(self.splits) == 1 else f"{{{','.join(self.splits)}}}"
        return missing_data(
            f"[{_RECORDS}/]{splits}/*.tfrecords or [{_PICTURES}/]{splits}/<file>/<k>/<i>.png",
            self.root,
            f"{_ADVICE}\nFor a synthetic data set: python tools/synthesize_data.py bair --out {self.root}",
        )


def read_actions(record: ClipRecord) -> tuple[np.ndarray, np.ndarray]:
    """Read the motion of the robot: actions (T, 4) and positions of the end effector (T, 3), float32.

    Raises:
        DataError: The clip is a folder of PNG files, which hold no actions.
        MediaError: The record is damaged.
    """
    if not isinstance(record.frames, TfRecordFrames):
        raise DataError(f"{record.name} is a folder of pictures: actions are in the TFRecord files only")
    features = _features(record.frames.span)
    names = [[f"{index}/{name}" for index in range(record.num_frames)] for name in ("action", "endeffector_pos")]
    if absent := [name for name in names[0] + names[1] if name not in features]:
        raise MediaError(f"{record.frames.span} has no {absent[0]}")
    # T times (4,) -> (T, 4), and T times (3,) -> (T, 3)
    actions, positions = (np.stack([features[name] for name in column]) for column in names)
    return actions, positions


def _record(name: str, frames: TfRecordFrames | FrameFolder, num_frames: int) -> ClipRecord:
    return ClipRecord(name=name, frames=frames, person=name, label=None, num_frames=num_frames, fps=FPS)


def _below(root: Path, wrapper: str, split: str, pattern: str) -> list[Path]:
    """List the files that fit ``pattern`` in the split's folder, with or without its wrapper, except hidden ones."""
    for folder in (root / wrapper / split, root / split):
        if found := sorted(path for path in folder.glob(pattern) if path.name[0] != "."):
            return found
    return []
