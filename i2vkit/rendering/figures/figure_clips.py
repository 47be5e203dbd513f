"""What the writers of figure sets share: who does what, how a clip is rendered, and the ground truth of transfers."""

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
    """What all clips of a rendered set have in common.

    Args:
        seed: Of people and motions.
        scene: Which kind of picture; a key of `ACTIONS`.
        size: Width and height of the frames in pixels.
        fps: Frames a second.
    """

    seed: int
    scene: str
    size: tuple[int, int]
    fps: float


@dataclass(frozen=True)
class FigureClip:
    """A clip of the raw layout, or of the ground truth, where another person does the same.

    Args:
        name: Of the raw clip in its index, "lyova/walk/lyova_walk"; its last part is unique.
        person: Who is seen.
        number: Of the person who is seen; `draw_person` takes it.
        label: What is done.
        motion: Numbers that the motion is drawn from, first that of the person whose clip it is.
        cut: How many of the last frames the layout does not read for want of labels; the ground truth does not have
            them.
    """

    name: str
    person: str
    number: int
    label: str
    motion: tuple[int, ...]
    cut: int = 0

    @property
    def alias(self) -> str:
        """The raw clip in the name of its ground truth."""
        return self.name.rsplit("/", 1)[-1]

    def done_by(self, person: str, number: int) -> "FigureClip":
        """The same with another person."""
        return replace(self, person=person, number=number)


def clip_motion(studio: FigureStudio, clip: FigureClip) -> FigureMotion:
    """What is done in that clip; nothing in it depends on who is seen."""
    return draw_motion(np.random.default_rng([studio.seed, 2, *clip.motion]), studio.scene, clip.label)


def render_clip(studio: FigureStudio, clip: FigureClip) -> Iterator[FigureFrame]:
    """The frames of a clip, one by one."""
    return renderer(studio.seed, studio.scene, clip.number, *studio.size).render_motion(clip_motion(studio, clip))


@lru_cache(maxsize=2)
def renderer(seed: int, scene: str, number: int, width: int, height: int) -> FigureRenderer:
    """Clips come ordered by who is seen, so that each person is set up once."""
    return FigureRenderer(draw_person(seed, number), scene, width, height)


def seen_box(frame: FigureFrame) -> np.ndarray:
    """The box (4,) around the person, x0, y0, x1, y1, edges of pixels; NaN where nobody is in the picture."""
    return np.add(frame.box, (0, 0, 1, 1))


def render_truth(
    root: Path,
    studio: FigureStudio,
    pairs: Sequence[tuple[str, FigureClip]],
    numbers: dict[str, int],
    workers: int | None = None,
) -> list[TruthClip]:
    """Render for each (actor, clip) that actor doing it, lossless, with joints and boxes, and index them in `root`.

    Args:
        root: The folder of the ground truth.
        studio: What all clips have in common.
        pairs: See `assign_transfers`.
        numbers: Of the people, by name.
        workers: Processes; one a core by default.
    """
    clips = [clip.done_by(actor, numbers[actor]) for actor, clip in pairs]
    truth = run_jobs(partial(write_truth, root, studio), clips, workers, chunk=4)
    if truth:
        write_truth_index(root, truth)
    return truth


def write_truth(root: Path, studio: FigureStudio, clip: FigureClip) -> TruthClip:
    """Render a clip of the ground truth below `root`, unless it is there already."""
    name = f"{clip.person}/{clip.label}/as_{clip.alias}"
    joints, boxes = f"joints/{name}.csv", f"boxes/{name}.csv"
    if not all((root / path).exists() for path in (name, joints, boxes)):
        seen = []
        with whole_folder(root / name) as folder:
            frames = islice(render_clip(studio, clip), len(clip_motion(studio, clip)) - clip.cut)
            for number, frame in enumerate(frames):
                write_image(folder / f"{number:03d}.png", frame.image)
                seen.append((frame.joints, seen_box(frame).reshape(2, 2)))
            write_landmarks(root / joints, np.stack([points for points, _ in seen]))
            write_landmarks(root / boxes, np.stack([box for _, box in seen]))
    count = len(image_paths(root / name))
    return TruthClip(name, clip.person, clip.label, count, studio.fps, clip.name, ("joints", joints), boxes)
