"""Shared functions of the writers of figure sets: clips, their rendering, and the ground truth of transfers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path

import numpy as np

from i2vkit.media import image_paths, write_image
from i2vkit.preparation.jobs import run_jobs, whole_folder
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.figures import FigureFrame, FigureMotion, FigureRenderer, draw_motion, draw_person
from i2vkit.rendering.ground_truth import TruthClip, write_truth_index


@dataclass(frozen=True)
class FigureStudio:
    """The settings that all clips of a rendered set share.

    Args:
        seed: The seed of people and motions.
        scene: The kind of picture, a key of `ACTIONS`.
        size: The width and height of the frames in pixels.
        fps: Frames per second.
    """

    seed: int
    scene: str
    size: tuple[int, int]
    fps: float


@dataclass(frozen=True)
class FigureClip:
    """A clip of the raw layout, or of the ground truth, in which another person does the same.

    Args:
        name: The name of the raw clip in its index, for instance "lyova/walk/lyova_walk". Its last part is unique.
        person: The person who is seen.
        number: The number of that person for `draw_person`.
        label: The action.
        motion: The numbers that seed the motion. The first is that of the person of the raw clip.
        cut: The number of frames at the end that lack labels in the raw layout. The ground truth leaves them out.
    """

    name: str
    person: str
    number: int
    label: str
    motion: tuple[int, ...]
    cut: int = 0

    @property
    def alias(self) -> str:
        """The name of the raw clip within the name of its ground truth."""
        return self.name.rsplit("/", 1)[-1]

    def done_by(self, person: str, number: int) -> "FigureClip":
        """Return the same clip with another person."""
        return replace(self, person=person, number=number)


def clip_motion(studio: FigureStudio, clip: FigureClip) -> FigureMotion:
    """Return the motion of a clip. It does not depend on the person who is seen."""
    return draw_motion(np.random.default_rng([studio.seed, 2, *clip.motion]), studio.scene, clip.label)


def render_clip(studio: FigureStudio, clip: FigureClip) -> Iterator[FigureFrame]:
    """Draw the frames of a clip, one by one."""
    return renderer(studio.seed, studio.scene, clip.number, *studio.size).render_motion(clip_motion(studio, clip))


@lru_cache(maxsize=2)
def renderer(seed: int, scene: str, number: int, width: int, height: int) -> FigureRenderer:
    """Return the renderer of a person. Clips are ordered by person, so each renderer is made once."""
    return FigureRenderer(draw_person(seed, number), scene, width, height)


def seen_box(frame: FigureFrame) -> np.ndarray:
    """Return the box (4,) around the person, x0, y0, x1, y1 by the edges of pixels.

    It is NaN if nobody is in the picture.
    """
    return np.add(frame.box, (0, 0, 1, 1))


def render_truth(
    root: Path,
    studio: FigureStudio,
    pairs: Sequence[tuple[str, FigureClip]],
    numbers: dict[str, int],
    workers: int | None = None,
) -> list[TruthClip]:
    """Render the ground truth losslessly, with joints and boxes, and index it in `root`.

    Args:
        root: The folder of the ground truth.
        studio: The settings that all clips share.
        pairs: Pairs of an actor and the clip to act, see `assign_transfers`.
        numbers: The numbers of the people by name.
        workers: The number of processes. By default one for each core.
    """
    clips = [clip.done_by(actor, numbers[actor]) for actor, clip in pairs]
    truth = run_jobs(partial(write_truth, root, studio), clips, workers, chunk=4)
    if truth:
        write_truth_index(root, truth)
    return truth


def write_truth(root: Path, studio: FigureStudio, clip: FigureClip) -> TruthClip:
    """Render a clip of the ground truth below `root` unless it exists."""
    name = f"{clip.person}/{clip.label}/as_{clip.alias}"
    joints, boxes = f"joints/{name}.csv", f"boxes/{name}.csv"
    if not all((root / path).exists() for path in (name, joints, boxes)):
        seen = []
        with whole_folder(root / name) as folder:
            frames = islice(render_clip(studio, clip), len(clip_motion(studio, clip)) - clip.cut)
            for number, frame in enumerate(frames):
                write_image(folder / f"{number:03d}.png", frame.image)
                # A box is written as two points, like landmarks: (4,) -> (2, 2).
                seen.append((frame.joints, seen_box(frame).reshape(2, 2)))
            write_landmarks(root / joints, np.stack([points for points, _ in seen]))
            write_landmarks(root / boxes, np.stack([box for _, box in seen]))
    count = len(image_paths(root / name))
    return TruthClip(name, clip.person, clip.label, count, studio.fps, clip.name, ("joints", joints), boxes)
