"""Shared functions of the writers of face sets.

They write clips with landmarks, as images or as videos, and the ground truth of transfers.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from i2vkit.errors import ConfigError
from i2vkit.media import VIDEO_SUFFIXES, VideoWriter, write_image
from i2vkit.preparation.jobs import claim_folder, run_jobs, whole_folder
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.faces.expressions import FaceMotion
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.faces.face_renderer import FaceRenderer
from i2vkit.rendering.ground_truth import TruthClip, write_truth_index

CHUNK = 6  # number of consecutive clips for one process; clips are ordered by person


@dataclass(frozen=True)
class FaceStudio:
    """The settings that all clips of a rendered set share.

    Args:
        seed: The seed of people. `draw_identity` uses it with the number in a person's name.
        size: The width and height of the frames in pixels.
        fps: Frames per second.
        look: A function that changes each frame (H, W, 3) as the camera would see it.
    """

    seed: int
    size: tuple[int, int]
    fps: float
    look: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class RenderedClip:
    """A clip to render: the person, the motion, and the files to write.

    Args:
        name: The name of the clip in the index of the raw layout, or below `truth/`.
        person: The person who is seen. The digits of the name are the person's number.
        label: The label of the clip.
        motion: A function that draws the motion, which must not depend on `person`. It can be pickled.
        frames: A folder, or a video by its suffix.
        landmarks: The CSV file of the landmarks.
        alias: The name of the clip within the name of its ground truth: "P001" for `as_P001`.
        image: The pattern of the images' names, with their number.
        first: The number of the first image.
    """

    name: str
    person: str
    label: str
    motion: Callable[[], FaceMotion]
    frames: Path
    landmarks: Path
    alias: str
    image: str = "{:03d}.png"
    first: int = 0


def render_set(
    name: str,
    out: Path,
    studio: FaceStudio,
    clips: Sequence[RenderedClip],
    truth: Sequence[tuple[str, RenderedClip]],
    settings: dict,
    workers: int | None = None,
) -> str:
    """Render clips and their ground truth.

    The same arguments give the same files for any number of workers. Finished clips are not rendered again.

    Args:
        name: The name of the set. It is kept in `out/synthetic.json` with the seed, the size and `settings`.
        out: The folder to write to.
        studio: The settings that all clips share.
        clips: The raw clips, ordered by person.
        truth: Pairs of an actor and the clip to act, see `assign_transfers`.
        settings: Everything else that the files depend on.
        workers: The number of processes. By default one for each core.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: The frames are smaller than 32 pixels.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if min(studio.size) < 32:
        raise ConfigError(f"frames must be at least 32 pixels each way, got {studio.size[0]}x{studio.size[1]}")
    claim_folder(out, "synthetic.json", {"set": name, "seed": studio.seed} | settings)
    exact = [_as_truth(out / "truth", actor, clip) for actor, clip in truth]
    counts = run_jobs(partial(write_clip, studio), [*clips, *exact], workers, chunk=CHUNK)
    own, exact_counts = counts[: len(clips)], counts[len(clips) :]
    if exact:
        sources = [clip.name for _, clip in truth]
        rows = [_truth_row(out / "truth", studio, *facts) for facts in zip(exact, sources, exact_counts, strict=True)]
        write_truth_index(out / "truth", rows)
    return (
        f"{out}: {len(clips)} clips of {len({clip.person for clip in clips})} people, {sum(own)} frames; "
        f"{len(exact)} clips of truth, {sum(exact_counts)} frames"
    )


def _as_truth(root: Path, actor: str, clip: RenderedClip) -> RenderedClip:
    """Return the clip in which `actor` does `clip`, below the root of the ground truth."""
    name = f"{actor}/{clip.label}/as_{clip.alias}"
    # The ground truth is always stored as PNG files, whatever the raw layout uses.
    return replace(
        clip,
        name=name,
        person=actor,
        frames=root / name,
        landmarks=root / "landmarks" / f"{name}.csv",
        image=RenderedClip.image,
        first=RenderedClip.first,
    )


def _truth_row(root: Path, studio: FaceStudio, clip: RenderedClip, driving: str, num_frames: int) -> TruthClip:
    """Return the row of the index for a clip of the ground truth."""
    landmarks = ("landmarks", clip.landmarks.relative_to(root).as_posix())
    return TruthClip(clip.name, clip.person, clip.label, num_frames, studio.fps, driving, landmarks)


def write_clip(studio: FaceStudio, clip: RenderedClip) -> int:
    """Render a clip unless it exists, and return its number of frames."""
    motion = clip.motion()
    if clip.frames.exists() and clip.landmarks.exists():
        return len(motion)
    landmarks = []
    with _sink(clip, studio.fps) as write:
        for frame, points in renderer(studio.seed, clip.person, *studio.size).render_motion(motion):
            write(frame if studio.look is None else studio.look(frame))
            landmarks.append(points)
    write_landmarks(clip.landmarks, np.stack(landmarks), clip.first)
    return len(motion)


@contextmanager
def _sink(clip: RenderedClip, fps: float):
    """Yield a function that takes the frames of a clip one by one. The clip appears only when the context ends well."""
    if clip.frames.suffix in VIDEO_SUFFIXES:
        with VideoWriter(clip.frames, fps) as writer:
            yield writer.write
        return
    with whole_folder(clip.frames) as folder:
        numbers = count(clip.first)
        yield lambda frame: write_image(folder / clip.image.format(next(numbers)), frame)


@lru_cache(maxsize=2)
def renderer(seed: int, person: str, width: int, height: int) -> FaceRenderer:
    """Return the renderer of a person. Clips are ordered by person, so each renderer is made once."""
    return FaceRenderer(draw_identity(seed, int("".join(c for c in person if c.isdigit()))), width, height)


def draw_over_time(studio: FaceStudio, clips: Sequence[RenderedClip], columns: int = 7, cell: int = 68) -> np.ndarray:
    """Draw the heads of clips (rows) at evenly spaced times (columns), uint8 RGB, `cell` pixels each."""
    width, height = studio.size
    # A square around the head.
    side, top, left = round(0.75 * height), round(0.15 * height), max(0, round(width / 2 - 0.375 * height))
    rows = []
    for clip in clips:
        motion, face = clip.motion(), renderer(studio.seed, clip.person, width, height)
        frames = [face.render(*motion[number])[0] for number in np.linspace(0, len(motion) - 1, columns).astype(int)]
        parts = [frame[top : top + side, left : left + side] for frame in frames]
        rows.append(np.hstack([cv2.resize(part, (cell, cell), interpolation=cv2.INTER_AREA) for part in parts]))
    return np.vstack(rows)
