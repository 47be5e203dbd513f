"""From raw clips to the prepared layout: frames cut out and scaled, points moved along, an index, what was left out.

What differs between data sets is where a frame is cut out: a framing says it, as one affine map a frame. A finished
clip is its folder of frames, which is put there last, whole or not at all.
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
from i2vkit.preparation.jobs import claim_folder, run_jobs, whole_folder, write_table
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.preparation.warping import Warp

MAPS = ("maps", "coefficients")


@dataclass(frozen=True)
class RawClip:
    """A clip to be framed: its record and its points, by name (``POINTS``), each (T, N, 2) in pixels.

    Landmarks have no gaps any more; joints are NaN where they are not known.
    """

    record: ClipRecord
    points: dict[str, np.ndarray]

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the frames uint8 (H, W, 3) from the first on, one in memory at a time.

        Raises ``DataError`` on frames that are broken or of different sizes; the clip is skipped then.
        """
        size = None
        try:
            for number, frame in enumerate(self.record.frames):
                if frame.shape != (size := size or frame.shape):
                    raise DataError(f"frame {number} is of another size than the first")
                yield frame
        except MediaError as error:
            raise DataError(str(error)) from error


class Framing(Protocol):
    """Where frames are cut out. Its fields are settings: they are written to ``prepared.json``."""

    size: int

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Give the affine maps (T, 2, 3) from the pixels of each raw frame to those of the prepared picture.

        The latter is ``size`` x ``size``; pixel centres are whole numbers on both sides. One map (1, 2, 3) serves all
        frames. Raises ``DataError`` where a clip cannot be framed; it is skipped, with that reason.
        """


class MapMaker(Protocol):
    """Makes condition maps. Its fields are settings: they are written to ``maps.json``."""

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write ``maps_path(root, record)`` for a clip that was prepared below ``root``, unless it is there already.

        ``record`` is the raw clip with the number of prepared frames. Raises ``DataError`` where there can be none; the
        clip is skipped, with that reason.
        """


Finder = Callable[[RawClip], dict[str, np.ndarray]]


@dataclass(frozen=True)
class PreparationJob:
    """A raw clip and the root it is prepared into.

    ``find`` is called where the clip has no landmarks of its own, ``maps`` when its frames are there.
    """

    record: ClipRecord
    root: Path
    framing: Framing
    find: Finder | None = None
    maps: MapMaker | None = None


@dataclass(frozen=True)
class PreparedClip:
    """What became of a clip."""

    record: ClipRecord
    num_frames: int = 0
    filled: int = 0  # frames whose landmarks were interpolated
    found: bool = False  # whether its landmarks come from the pictures
    skipped: str = ""  # why, if it was


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
    """Prepare the clips of a raw index, and the exact ground truth where the data were rendered; a summary for the
    user.

    Args:
        name: Of the set; it and ``settings`` and the framing are kept in ``out/prepared.json``.
        index: The raw clips; ``record.name`` becomes the path below ``out``.
        out: The prepared root.
        framing: See ``Framing``.
        workers: Processes; one a core by default.
        truth: A ``ClipFolder`` with a column ``source``; need not exist.
        find: Finds landmarks of a clip that has none.
        settings: What else the result depends on.
        chunk: How many clips in a row go to the same process; those of one video, for instance.
        maps: Makes condition maps, also of what was prepared without.

    Raises:
        ConfigError: A size below 16.
        DataError: No clip at all could be prepared, ``out`` was prepared otherwise, or it cannot be written.
    """
    if framing.size < 16:
        raise ConfigError(f"--size {framing.size}: frames of at least 16 pixels are needed to tell anything")
    exact = ClipFolder(str(truth)).index().records if truth is not None and (truth / "index.csv").exists() else []
    jobs = [PreparationJob(record, out, framing, find, maps) for record in index.records]
    jobs += [PreparationJob(record, out / "truth", framing, find, maps) for record in exact]
    how = {"framing": type(framing).__name__} | _fields(framing)
    claim_folder(out, "prepared.json", {"set": name} | how | (settings or {}))
    if maps is not None:
        claim_folder(out, "maps.json", {"maps": type(maps).__name__} | _fields(maps))
    outcomes = run_jobs(prepare_clip, jobs, workers, chunk)
    done, done_truth = outcomes[: len(index.records)], outcomes[len(index.records) :]
    write_index(out, done, index.skipped)
    if exact:
        write_index(out / "truth", done_truth)
    if all(outcome.skipped for outcome in done):
        reasons = sorted({outcome.skipped for outcome in done})
        raise DataError(f"none of the {len(done)} clips could be prepared, for instance because: {reasons[0]}")
    left_out = f"{len(index.skipped)} of what the raw data hold or should hold is left out ({out / 'skipped.csv'})"
    notes = [left_out] if index.skipped else []
    return "\n".join([summary(done, out), *notes] + ([summary(done_truth, out / "truth")] if exact else []))


def _fields(settings: Framing | MapMaker) -> dict:
    return {key: value for key, value in vars(settings).items() if key[0] != "_"}


def prepare_clip(job: PreparationJob) -> PreparedClip:
    """Prepare one clip and its maps unless that is done; a clip that cannot be comes back with the reason."""
    outcome = _prepare_frames(job)
    if job.maps is None or outcome.skipped:
        return outcome
    try:
        job.maps(job.root, replace(job.record, num_frames=outcome.num_frames))
    except DataError as error:
        return replace(outcome, skipped=f"no condition maps: {error}")
    return outcome


def _prepare_frames(job: PreparationJob) -> PreparedClip:
    record, folder = job.record, job.root / job.record.name
    if folder.is_dir():
        return PreparedClip(record, num_frames=len(image_paths(folder)))
    try:
        clip = RawClip(record, _given_points(record))
        found = job.find is not None and "landmarks" not in clip.points
        if found:
            clip.points.update(job.find(clip))
        filled = 0
        if "landmarks" in clip.points:
            clip.points["landmarks"], filled = fill_gaps(clip.points["landmarks"])
        warp = Warp(job.framing(clip), job.framing.size)
        lengths = [len(points) for points in clip.points.values()]
        expected = min(lengths + [len(warp.transforms)] * (len(warp.transforms) > 1), default=None)
        with whole_folder(folder) as temporary:
            count = 0
            for count, frame in enumerate(clip.frames(), start=1):
                if expected is not None and count > expected:
                    break
                write_image(temporary / f"{count - 1:03d}.png", warp.frame(frame, count - 1))
            if not count:
                raise DataError("it has no frames")
            if expected not in (None, count):  # a video may hold another number of frames than its header says
                raise DataError(f"it has {count} frames{' or more' * (count > expected)}, but points of {expected}")
            for name, points in clip.points.items():
                write_landmarks(points_path(job.root, name, record), warp.points(points))
    except DataError as error:
        return PreparedClip(record, skipped=str(error))
    return PreparedClip(record, count, filled, found)


def points_path(root: Path, name: str, record: ClipRecord) -> Path:
    """Where the points of the prepared frames go."""
    return root / name / f"{record.name}.csv"


def maps_path(root: Path, record: ClipRecord, name: str = "maps") -> Path:
    """Where the condition maps of the prepared frames go, or the ``coefficients`` of the model behind them."""
    return root / name / f"{record.name}.npz"


def _given_points(record: ClipRecord) -> dict[str, np.ndarray]:
    """The points that lie beside the clip, by name."""
    points = {}
    for name in POINTS:
        given = record.metadata.get(name)
        if isinstance(given, np.ndarray):
            points[name] = given
        elif given is not None and Path(given).exists():
            points[name] = read_points(Path(given), frame_numbers(record))
    return points


def write_index(root: Path, outcomes: Sequence[PreparedClip], missing: Sequence[tuple[str, str]] = ()) -> None:
    """Write ``root/index.csv``, which makes it a ``ClipFolder``, and ``root/skipped.csv``, with ``missing`` added."""
    done = sorted((outcome for outcome in outcomes if not outcome.skipped), key=lambda outcome: outcome.record.name)
    columns: dict[str, Callable[[PreparedClip], object]] = {
        "path": lambda outcome: outcome.record.name,
        "person": lambda outcome: outcome.record.person,
        "label": lambda outcome: outcome.record.label,
        "num_frames": lambda outcome: outcome.num_frames,
        "fps": lambda outcome: outcome.record.fps,
    }
    # What else is said of clips in words goes along: the source of a truth, the part of a set's own division.
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
    return outcome.record.metadata.get(key, "")


def _relative(root: Path, place: Callable[[ClipRecord], Path], outcome: PreparedClip) -> str:
    path = place(outcome.record)
    return path.relative_to(root).as_posix() if path.exists() else ""


def summary(outcomes: Sequence[PreparedClip], root: Path) -> str:
    """What to tell the user."""
    done = [outcome for outcome in outcomes if not outcome.skipped]
    people = len({outcome.record.person for outcome in done})
    lines = [f"{root}: {len(done)} clips of {people} people, {sum(outcome.num_frames for outcome in done)} frames"]
    if found := sum(outcome.found for outcome in done):
        lines.append(f"landmarks of {found} clips were found in the pictures")
    filled = [outcome for outcome in done if outcome.filled]
    if filled:
        frames = sum(outcome.filled for outcome in filled)
        lines.append(
            f"landmarks of {frames} frames in {len(filled)} clips were interpolated, {filled[0].record.name} for one"
        )
    left_out = [outcome for outcome in outcomes if outcome.skipped]
    if left_out:
        example = f"{left_out[0].record.name}: {left_out[0].skipped}"
        lines.append(f"{len(left_out)} clips were skipped ({root / 'skipped.csv'}), for instance {example}")
    return "\n".join(lines)
