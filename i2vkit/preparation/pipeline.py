"""The steps from raw clips to the prepared layout.

Frames are cropped, points are transformed with them, and an index and a list of skipped clips are written. Data sets
differ in their framing, which gives an affine map for each frame. A finished clip is its folder of frames. The folder
is written last and atomically.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.point_files import POINTS, fill_gaps, frame_numbers, read_points
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import ConfigError, DataError, MediaError
from i2vkit.media import image_paths, write_image
from i2vkit.preparation.jobs import claim_folder, remove_leftovers_below, run_jobs, whole_folder, write_table
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.warping import Warp

MAPS = ("maps", "coefficients")


@dataclass(frozen=True)
class RawClip:
    """A raw clip: its record, and its points by name (``POINTS``), each (T, N, 2) in pixels.

    Gaps in landmarks are already filled. Unknown joints are NaN.
    """

    record: ClipRecord
    points: dict[str, np.ndarray]

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames uint8 (H, W, 3) one by one, from the first on, so that only one is in memory.

        Raises:
            DataError: Frames are broken or differ in size. The clip is skipped then.
        """
        size = None
        try:
            for number, frame in enumerate(self.record.frames):
                if frame.shape != (size := size or frame.shape):
                    raise DataError(f"frame {number} has another size than the first")
                yield frame
        except MediaError as error:
            raise DataError(str(error)) from error


class Framing(Protocol):
    """The interface of framings, which choose the part of each frame to keep.

    The fields of a framing are settings, which are written to ``prepared.json``.
    """

    @property
    def size(self) -> int:
        """The side of the prepared frames in pixels."""

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the affine maps (T, 2, 3) from the pixels of each raw frame to those of the prepared picture.

        The prepared picture is ``size`` x ``size``, and pixel centres are whole numbers in both. A single map (1, 2, 3)
        is used for all frames.

        Raises:
            DataError: The clip cannot be framed. It is skipped with that reason.
        """


class MapMaker(Protocol):
    """The interface of makers of condition maps. Their fields are settings, which are written to ``maps.json``."""

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write ``maps_path(root, record)`` unless the file exists.

        Args:
            root: The prepared root.
            record: The raw clip with the number of prepared frames.

        Raises:
            DataError: There can be no maps for this clip. It is skipped with that reason.
        """


Finder = Callable[[RawClip], dict[str, np.ndarray]]


@dataclass(frozen=True)
class PreparationJob:
    """A raw clip and the root to prepare it into.

    Args:
        record: The raw clip.
        root: The prepared root.
        framing: See ``Framing``.
        find: A function that finds the landmarks of a clip that has none.
        maps: A maker that is called when the frames are written.
    """

    record: ClipRecord
    root: Path
    framing: Framing
    find: Finder | None = None
    maps: MapMaker | None = None


@dataclass(frozen=True)
class PreparedClip:
    """The result of preparing one clip."""

    record: ClipRecord
    num_frames: int = 0
    filled: int = 0  # number of frames whose landmarks were interpolated
    found: bool = False  # whether its landmarks were detected in the pictures
    skipped: str = ""  # the reason if it was skipped


def prepare_set(
    name: str,
    index: ClipIndex,
    out: Path,
    framing: Framing,
    workers: int | None = None,
    truth: Path | None = None,
    find: Finder | None = None,
    settings: dict | None = None,
    chunk: int = 1,
    maps: MapMaker | None = None,
) -> str:
    """Prepare the clips of a raw index, and the exact ground truth of rendered data.

    Args:
        name: The name of the set. It is kept in ``out/prepared.json`` with the framing and ``settings``.
        index: The raw clips. ``record.name`` becomes the path below ``out``.
        out: The prepared root.
        framing: See ``Framing``.
        workers: The number of processes. By default one for each core.
        truth: A ``ClipFolder`` with a column ``source``. It need not exist.
        find: A function that finds the landmarks of a clip that has none.
        settings: Everything else that the result depends on.
        chunk: The number of consecutive clips that go to the same process, for instance those of one video.
        maps: A maker of condition maps. It also adds them to a set that was prepared without maps.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: The size is below 16.
        DataError: No clip could be prepared, ``out`` was prepared with other settings, or it cannot be written.
    """
    if framing.size < 16:
        raise ConfigError(f"--size {framing.size}: frames need at least 16 pixels")
    exact = ClipFolder(str(truth)).index().records if truth is not None and (truth / "index.csv").exists() else []
    jobs = [PreparationJob(record, out, framing, find, maps) for record in index.records]
    # The ground truth gets the same framing and maps as the clips.
    jobs += [PreparationJob(record, out / "truth", framing, find, maps) for record in exact]
    how = {"framing": type(framing).__name__} | _fields(framing)
    claim_folder(out, "prepared.json", {"set": name} | how | (settings or {}), beside=("i2v_truth.json",))
    if maps is not None:
        claim_folder(out, "maps.json", {"maps": type(maps).__name__} | _fields(maps), beside=("prepared.json",))
    for root in (out, out / "truth"):
        remove_leftovers_below(root)
    outcomes = run_jobs(prepare_clip, jobs, workers, chunk)
    done, done_truth = outcomes[: len(index.records)], outcomes[len(index.records) :]
    # The index is written even if all clips fail, so that ``skipped.csv`` shows every reason.
    write_index(out, done, index.skipped)
    if exact:
        write_index(out / "truth", done_truth)
    if all(outcome.skipped for outcome in done):
        reasons = sorted({outcome.skipped for outcome in done})
        raise DataError(f"none of the {len(done)} clips could be prepared, for instance because: {reasons[0]}")
    left_out = f"{len(index.skipped)} items of the raw data are missing or left out ({out / 'skipped.csv'})"
    notes = [left_out] if index.skipped else []
    return "\n".join([summary(done, out), *notes] + ([summary(done_truth, out / "truth")] if exact else []))


def _fields(settings: Framing | MapMaker) -> dict:
    """Return the public fields of a framing or a maker, which are its settings."""
    return {key: value for key, value in vars(settings).items() if key[0] != "_"}


def prepare_clip(job: PreparationJob) -> PreparedClip:
    """Prepare one clip and its maps unless that is done. The result of a clip that fails holds the reason."""
    outcome = _prepare_frames(job)
    if job.maps is None or outcome.skipped:
        return outcome
    try:
        job.maps(job.root, replace(job.record, num_frames=outcome.num_frames))
    except DataError as error:
        return replace(outcome, skipped=f"no condition maps: {error}")
    return outcome


def _prepare_frames(job: PreparationJob) -> PreparedClip:
    """Write the frames and the points of one clip, or find that they are written."""
    record, folder = job.record, job.root / job.record.name
    # A folder is renamed to its name when it is complete, so this clip is done.
    if folder.is_dir():
        return PreparedClip(record, num_frames=len(image_paths(folder)))
    try:
        clip = RawClip(record, _given_points(record))
        find = None if "landmarks" in clip.points else job.find
        found = find is not None
        if find is not None:
            clip.points.update(find(clip))
        filled = 0
        if "landmarks" in clip.points:
            clip.points["landmarks"], filled = fill_gaps(clip.points["landmarks"])
        warp = Warp(job.framing(clip), job.framing.size)
        # Points and transforms for each frame must agree in number with the frames.
        lengths = [len(points) for points in clip.points.values()]
        expected = min(lengths + [len(warp.transforms)] * (len(warp.transforms) > 1), default=None)
        with whole_folder(folder) as temporary:
            count = 0
            for count, frame in enumerate(clip.frames(), start=1):
                # One frame too many is enough to know that the numbers differ.
                if expected is not None and count > expected:
                    break
                write_image(temporary / f"{count - 1:03d}.png", warp.frame(frame, count - 1))
            if not count:
                raise DataError("it has no frames")
            if expected not in (None, count):  # a video may hold another number of frames than its header states
                raise DataError(f"it has {count} frames{' or more' * (count > expected)}, but points of {expected}")
            for name, points in clip.points.items():
                write_landmarks(points_path(job.root, name, record), warp.points(points))
    except DataError as error:
        return PreparedClip(record, skipped=str(error))
    return PreparedClip(record, count, filled, found)


def points_path(root: Path, name: str, record: ClipRecord) -> Path:
    """Return the path of the points of a prepared clip."""
    return root / name / f"{record.name}.csv"


def maps_path(root: Path, record: ClipRecord, name: str = "maps") -> Path:
    """Return the path of the condition maps of a prepared clip, or of the ``coefficients`` behind them."""
    return root / name / f"{record.name}.npz"


def _given_points(record: ClipRecord) -> dict[str, np.ndarray]:
    """Return the points given with the clip, by name, in memory or from files."""
    points = {}
    for name in POINTS:
        given = record.metadata.get(name)
        if isinstance(given, np.ndarray):
            points[name] = given
        elif given is not None and Path(given).exists():
            points[name] = read_points(Path(given), frame_numbers(record))
    return points


def write_index(root: Path, outcomes: Sequence[PreparedClip], missing: Sequence[tuple[str, str]] = ()) -> None:
    """Write ``root/index.csv``, which makes the folder a ``ClipFolder``, and ``root/skipped.csv``.

    Args:
        root: The prepared root.
        outcomes: The results of all clips.
        missing: Other names and reasons for ``skipped.csv``.
    """
    done = sorted((outcome for outcome in outcomes if not outcome.skipped), key=lambda outcome: outcome.record.name)
    columns: dict[str, Callable[[PreparedClip], object]] = {
        "path": lambda outcome: outcome.record.name,
        "person": lambda outcome: outcome.record.person,
        "label": lambda outcome: outcome.record.label,
        "num_frames": lambda outcome: outcome.num_frames,
        "fps": lambda outcome: outcome.record.fps,
    }
    # Texts in the metadata become columns, for instance the source of a ground truth or the set's own split.
    texts = {key for outcome in done for key, value in outcome.record.metadata.items() if isinstance(value, str)}
    columns |= {key: partial(_said, key) for key in sorted(texts - {*POINTS, *MAPS, "boxes"})}
    for name in POINTS:
        if any(points_path(root, name, outcome.record).exists() for outcome in done):
            columns[name] = partial(_relative, root, partial(points_path, root, name))
    for name in MAPS:
        if any(maps_path(root, outcome.record, name).exists() for outcome in done):
            columns[name] = partial(_relative, root, partial(maps_path, root, name=name))
    write_table(root / "index.csv", tuple(columns), [[cell(o) for cell in columns.values()] for o in done])
    skipped = sorted([(outcome.record.name, outcome.skipped) for outcome in outcomes if outcome.skipped] + [*missing])
    write_table(root / "skipped.csv", ("what", "why"), skipped)


def _said(key: str, outcome: PreparedClip) -> str:
    """Return a text of a clip's metadata."""
    return outcome.record.metadata.get(key, "")


def _relative(root: Path, place: Callable[[ClipRecord], Path], outcome: PreparedClip) -> str:
    """Return the path of a clip's file relative to ``root``, or "" if there is no file."""
    path = place(outcome.record)
    return path.relative_to(root).as_posix() if path.exists() else ""


def summary(outcomes: Sequence[PreparedClip], root: Path) -> str:
    """Return a summary of the prepared clips for the user."""
    done = [outcome for outcome in outcomes if not outcome.skipped]
    people = len({outcome.record.person for outcome in done})
    lines = [f"{root}: {len(done)} clips of {people} people, {sum(outcome.num_frames for outcome in done)} frames"]
    if found := sum(outcome.found for outcome in done):
        lines.append(f"landmarks of {found} clips were found in the pictures")
    filled = [outcome for outcome in done if outcome.filled]
    if filled:
        frames = sum(outcome.filled for outcome in filled)
        example = filled[0].record.name
        lines.append(f"landmarks of {frames} frames in {len(filled)} clips were interpolated, for instance {example}")
    left_out = [outcome for outcome in outcomes if outcome.skipped]
    if left_out:
        example = f"{left_out[0].record.name}: {left_out[0].skipped}"
        lines.append(f"{len(left_out)} clips were skipped ({root / 'skipped.csv'}), for instance {example}")
    return "\n".join(lines)
