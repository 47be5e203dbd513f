"""From raw clips with landmarks to the prepared layout: aligned frames, an index, and a list of what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from i2vkit.datasets.preparation.alignment import align_clip
from i2vkit.datasets.preparation.jobs import run_jobs, whole_folder, write_table
from i2vkit.datasets.preparation.landmarks import fill_gaps, read_landmarks, write_landmarks
from i2vkit.errors import DataError, MediaError
from i2vkit.media import image_paths, read_image, write_image


@dataclass(frozen=True)
class RawClip:
    """A clip to prepare and where it goes."""

    name: str  # path below the prepared root, for instance "P001/Anger/VL_Strong"
    person: str
    label: str
    fps: float
    frames: tuple[Path, ...]
    landmarks: Path
    root: Path  # the prepared root, a `ClipFolder`
    size: int


@dataclass(frozen=True)
class Outcome:
    """What became of a clip."""

    clip: RawClip
    num_frames: int = 0
    filled: int = 0  # frames whose landmarks were interpolated
    skipped: str = ""  # why, if it was


def prepare_clips(clips: Sequence[RawClip], workers: int) -> list[Outcome]:
    """Prepare clips in parallel; those that are finished already are not done again.

    Raises:
        DataError: The output cannot be written.
    """
    return run_jobs(prepare_clip, clips, workers)


def prepare_clip(clip: RawClip) -> Outcome:
    """Align one clip and write frames and landmarks; a clip that cannot be aligned comes back with the reason."""
    folder, table = clip.root / clip.name, landmarks_path(clip)
    if folder.is_dir() and table.exists():
        return Outcome(clip, num_frames=len(image_paths(folder)))
    try:
        frames, landmarks, filled = _read(clip)
        aligned, moved = align_clip(frames, landmarks, clip.size)
    except (DataError, MediaError) as error:
        return Outcome(clip, skipped=str(error))
    with whole_folder(folder) as temporary:
        for number, frame in enumerate(aligned):
            write_image(temporary / f"{number:03d}.png", frame)
        write_landmarks(table, moved)
    return Outcome(clip, len(aligned), filled)


def landmarks_path(clip: RawClip) -> Path:
    """Where the landmarks of the aligned frames go."""
    return clip.root / "landmarks" / f"{clip.name}.csv"


def _read(clip: RawClip) -> tuple[np.ndarray, np.ndarray, int]:
    """Frames (T, H, W, 3), landmarks (T, N, 2) and how many of them were filled in."""
    if not clip.landmarks.exists():
        raise DataError(f"no landmarks at {clip.landmarks}")
    landmarks, filled = fill_gaps(read_landmarks(clip.landmarks, [_number(path) for path in clip.frames]))
    frames = [read_image(path) for path in clip.frames]
    if len({frame.shape for frame in frames}) > 1:
        raise DataError(f"frames of different sizes in {clip.frames[0].parent}")
    return np.stack(frames), landmarks, filled


def _number(path: Path) -> int:
    digits = "".join(c for c in path.stem if c.isdigit())
    if not digits:
        raise DataError(f"{path.name} has no frame number")
    return int(digits)


def write_index(root: Path, outcomes: Sequence[Outcome], missing: Sequence[tuple[str, str]] = ()) -> None:
    """Write `root/index.csv`, which makes it a `ClipFolder`, and `root/skipped.csv`, to which `missing` belongs too."""
    done = sorted((outcome for outcome in outcomes if not outcome.skipped), key=lambda outcome: outcome.clip.name)
    rows = [
        (
            o.clip.name,
            o.clip.person,
            o.clip.label,
            o.num_frames,
            o.clip.fps,
            landmarks_path(o.clip).relative_to(root).as_posix(),
        )
        for o in done
    ]
    write_table(root / "index.csv", ("path", "person", "label", "num_frames", "fps", "landmarks"), rows)
    skipped = sorted([(outcome.clip.name, outcome.skipped) for outcome in outcomes if outcome.skipped] + [*missing])
    write_table(root / "skipped.csv", ("what", "why"), skipped)


def summary(outcomes: Sequence[Outcome], root: Path) -> str:
    """What to tell the user."""
    done = [outcome for outcome in outcomes if not outcome.skipped]
    people = len({outcome.clip.person for outcome in done})
    lines = [f"{root}: {len(done)} clips of {people} people, {sum(outcome.num_frames for outcome in done)} frames"]
    filled = [outcome for outcome in done if outcome.filled]
    if filled:
        frames = sum(outcome.filled for outcome in filled)
        lines.append(
            f"landmarks of {frames} frames in {len(filled)} clips were interpolated, {filled[0].clip.name} for one"
        )
    left_out = [outcome for outcome in outcomes if outcome.skipped]
    if left_out:
        example = f"{left_out[0].clip.name}: {left_out[0].skipped}"
        lines.append(f"{len(left_out)} clips were skipped ({root / 'skipped.csv'}), for instance {example}")
    return "\n".join(lines)
