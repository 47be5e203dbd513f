"""Rendering of the clips of i2v-truth-v1: lossless frames with landmarks or joints, and their ground truth."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.media import image_paths, write_image
from i2vkit.preparation.jobs import run_jobs, whole_folder
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.faces import face_clips as faces
from i2vkit.rendering.faces.expression_cycles import draw_cycle
from i2vkit.rendering.faces.expressions import FaceMotion
from i2vkit.rendering.figures import figure_clips as figures
from i2vkit.rendering.figures.figure_motion import draw_motion
from i2vkit.rendering.figures.poses import FigureMotion
from i2vkit.rendering.ground_truth import TruthClip, write_truth_index
from i2vkit.rendering.i2v_truth.parts import FACES, SEED, SPLITS, BenchmarkPart, Performance

# Low rates, at which 16 consecutive frames show an expression from rest to its apex, or most of a cycle of an action.
FPS = {"faces": 7.0, "figures": 12.5}
POINTS = {"faces": "landmarks", "figures": "joints"}
_WALKED_IN = 4  # number of frames until a walking person is completely in the picture
_CHUNK = 6  # number of consecutive clips for one process; clips are ordered by person


@dataclass(frozen=True)
class RenderJob:
    """A clip of ``actor`` doing ``performance``, to be drawn into the folder ``name`` below ``root``."""

    part: BenchmarkPart
    root: Path
    name: str
    actor: str
    performance: Performance

    @property
    def points(self) -> Path:
        """The path of the landmarks or joints, relative to ``root``."""
        return Path(POINTS[self.part.name], f"{self.name}.csv")


def render_part(part: BenchmarkPart, root: Path, workers: int | None = None) -> ClipIndex:
    """Draw a part's clips into ``root``, and its ground truth, a ``ClipFolder``, into ``root/truth``.

    Existing clips are kept.

    Returns:
        The index of the clips, without the ground truth.

    Raises:
        DataError: The folder cannot be written.
    """
    own = [RenderJob(part, root, clip.name, clip.person, clip) for split in SPLITS for clip in part.performances(split)]
    exact = [_ground_truth_job(part, root, *transfer) for split in SPLITS for transfer in part.transfers(split)]
    # Jobs are ordered by actor, so that each renderer is made once.
    exact.sort(key=lambda scene: scene.actor)
    draw = draw_face if part.name == FACES.name else draw_figure
    run_jobs(draw, own + exact, workers, chunk=_CHUNK)
    if exact:
        write_truth_index(root / "truth", [_truth_row(scene) for scene in exact])
    return ClipIndex([_record(scene) for scene in own], list(part.labels), [])


def _ground_truth_job(part: BenchmarkPart, root: Path, actor: str, performance: Performance) -> RenderJob:
    """Return the job for one transfer."""
    name = f"{actor}/{performance.label}/as_{performance.person}_{performance.take}"
    return RenderJob(part, root / "truth", name, actor, performance)


def draw_face(scene: RenderJob) -> None:
    """Draw a clip of a face unless it exists."""
    studio = faces.FaceStudio(SEED, (scene.part.size, scene.part.size), FPS["faces"])
    motion = partial(face_motion, scene.part, scene.performance)
    frames, landmarks = scene.root / scene.name, scene.root / scene.points
    faces.write_clip(studio, faces.RenderedClip(scene.name, scene.actor, "", motion, frames, landmarks, alias=""))


def face_motion(part: BenchmarkPart, performance: Performance) -> FaceMotion:
    """Return the motion of a face from rest to the apex of an expression and back."""
    return draw_cycle(_rng(part, performance), performance.label.title(), FPS["faces"], part.frames)


def draw_figure(scene: RenderJob) -> None:
    """Draw a clip of a figure unless it exists."""
    folder = scene.root / scene.name
    if folder.exists():
        return
    size = scene.part.size
    renderer = figures.renderer(SEED, "weizmann", _number(scene.actor), size, size)
    with whole_folder(folder) as temporary:
        joints = []
        for number, frame in enumerate(renderer.render_motion(figure_motion(scene.part, scene.performance))):
            write_image(temporary / f"{number:03d}.png", frame.image)
            joints.append(frame.joints)
        write_landmarks(scene.root / scene.points, np.stack(joints))


def figure_motion(part: BenchmarkPart, performance: Performance) -> FigureMotion:
    """Return the motion of a figure: the first frames of one of Weizmann's actions, at half its frame rate.

    A walk starts when the whole person is in the picture. People seen from the side look to the right, because a
    picture of the left side does not show the right side.
    """
    motion = draw_motion(_rng(part, performance), "weizmann", performance.label)
    start = _WALKED_IN if performance.label == "walk" else 0
    # Take every second pose, which halves the frame rate.
    poses = motion.poses[:: round(motion.fps / FPS["figures"])][start : start + part.frames[1]]
    return replace(motion, fps=FPS["figures"], heading=abs(motion.heading), poses=poses)


def _rng(part: BenchmarkPart, performance: Performance) -> np.random.Generator:
    """Return the random generator of a performance."""
    place = part.labels.index(performance.label)
    return np.random.default_rng([SEED, 2, _number(performance.person), place, performance.take])


def _number(person: str) -> int:
    """Return the number of a person from the digits of the name."""
    return int("".join(character for character in person if character.isdigit()))


def _record(scene: RenderJob) -> ClipRecord:
    """Return the record of a rendered clip."""
    paths = tuple(image_paths(scene.root / scene.name))
    metadata = {POINTS[scene.part.name]: scene.root / scene.points}
    performance = scene.performance
    return ClipRecord(
        scene.name, FrameFolder(paths), scene.actor, performance.label, len(paths), FPS[scene.part.name], metadata
    )


def _truth_row(scene: RenderJob) -> TruthClip:
    """Return the row of the index for a clip of the ground truth."""
    count = len(image_paths(scene.root / scene.name))
    points = (POINTS[scene.part.name], scene.points.as_posix())
    label, fps = scene.performance.label, FPS[scene.part.name]
    return TruthClip(scene.name, scene.actor, label, count, fps, scene.performance.name, points)
