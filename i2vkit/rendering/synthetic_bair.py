"""A synthetic data set in the layout of BAIR robot pushing, as TFRecord files.

Its ground truth shows other futures of a first frame.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from i2vkit.datasets.formats.tfrecords import encode_example, write_records
from i2vkit.datasets.readers.bair import CAMERAS, FPS, NUM_FRAMES, SPLITS, TRUTH_CAMERA, image_key
from i2vkit.errors import ConfigError
from i2vkit.media import write_image
from i2vkit.preparation.jobs import claim_folder, run_jobs, whole_folder
from i2vkit.rendering.arm import ArmRenderer, ArmScene, PushTrajectory, draw_motion, draw_scene, push
from i2vkit.rendering.ground_truth import TruthClip, write_truth_index

PER_FILE = 16  # number of records
LABEL = "push"  # the folders of the ground truth need a label, although the clips have none
DRIVERS = 4  # number of test clips whose motion drives all test scenes in the ground truth


@dataclass(frozen=True, order=True)
class BairClip:
    """A clip, identified by its split (0 train, 1 test) and its number from 0.

    The number selects both its scene and its motion.
    """

    split: int
    number: int

    @property
    def file(self) -> str:
        """The stem of the file that holds the clip, for instance "traj_16_to_31"."""
        first = self.number - self.number % PER_FILE
        return f"traj_{first}_to_{first + PER_FILE - 1}"

    @property
    def name(self) -> str:
        """The name that the reader `Bair` gives the clip, for instance "test/traj_16_to_31/3"."""
        return f"{SPLITS[self.split]}/{self.file}/{self.number % PER_FILE + 1}"


@dataclass(frozen=True)
class FileJob:
    """The clips that go to one TFRecord file."""

    seed: int
    clips: tuple[BairClip, ...]
    path: Path


@dataclass(frozen=True)
class TruthJob:
    """The scene of one clip with the motion of another, as frames of the camera `TRUTH_CAMERA`."""

    seed: int
    scene: BairClip
    motion: BairClip
    frames: Path


def synthesize_bair(
    out: Path,
    people: int = 64,
    seed: int = 0,
    workers: int | None = None,
    *,
    test_scenes: int = 16,
    truth: str = "transfer",
    contact_sheet: Path | None = None,
) -> str:
    """Write one clip for each scene as TFRecord files below `out`, seen by two cameras, and other futures of scenes.

    The first frame depends on the scene only, so the frames after it differ between motions. The same arguments give
    the same files for any number of workers. Finished files are not rendered again.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of scenes for training. The first ones are the same for every number.
        seed: Seed of scenes and motions.
        workers: Number of processes. By default one for each core.
        test_scenes: Number of scenes for testing.
        truth: "transfer" (each test scene with the motions of the first four test clips), "none" or pairs
            "test/traj_0_to_15/3:test/traj_0_to_15/1,..." (the scene of the first, the motion of the second), seen by
            aux1.
        contact_sheet: File for a picture of six clips over time.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: A number of scenes is below 1, or `truth` is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if people < 1 or test_scenes < 1:
        raise ConfigError(f"people and test_scenes must be at least 1, got {people} and {test_scenes}")
    settings = dict(set="bair", seed=seed, people=people, test_scenes=test_scenes)
    clips = [BairClip(split, number) for split, count in enumerate((people, test_scenes)) for number in range(count)]
    files = _file_jobs(out, clips, seed)
    exact = [_truth_job(out, scene, motion, seed) for scene, motion in assign_transfers(truth, people, test_scenes)]
    claim_folder(out, "synthetic.json", settings)
    run_jobs(write_job, [*files, *exact], workers)
    if exact:
        write_truth_index(out / "truth", [_truth_clip(out / "truth", job) for job in exact])
    if contact_sheet:
        write_image(contact_sheet, draw_contact_sheet(seed))
    return (
        f"{out}: {people} scenes to train on and {test_scenes} to test on, {NUM_FRAMES} frames each; "
        f"{len(exact)} clips of truth, camera {TRUTH_CAMERA}"
    )


def _file_jobs(out: Path, clips: list[BairClip], seed: int) -> list[FileJob]:
    """Group the clips by the TFRecord file that holds them."""
    groups: dict[Path, list[BairClip]] = {}
    for clip in clips:
        path = out / "softmotion30_44k" / SPLITS[clip.split] / f"{clip.file}.tfrecords"
        groups.setdefault(path, []).append(clip)
    return [FileJob(seed, tuple(group), path) for path, group in groups.items()]


def _truth_job(out: Path, scene: BairClip, motion: BairClip, seed: int) -> TruthJob:
    """Return the job for one clip of the ground truth."""
    actor, driving = (clip.name.replace("/", "_") for clip in (scene, motion))
    return TruthJob(seed, scene, motion, out / "truth" / actor / LABEL / f"as_{driving}")


def _truth_clip(root: Path, job: TruthJob) -> TruthClip:
    """Return the row of the index for one clip of the ground truth."""
    name = job.frames.relative_to(root).as_posix()
    return TruthClip(name, job.scene.name, LABEL, NUM_FRAMES, FPS, job.motion.name)


def assign_transfers(truth: str, people: int, test_scenes: int) -> list[tuple[BairClip, BairClip]]:
    """Return the pairs (scene, motion) of the ground truth to render, sorted. See `synthesize_bair` for `truth`.

    Raises:
        ConfigError: `truth` has another form, or names a clip that does not exist.

    >>> assign_transfers("test/traj_0_to_15/2:train/traj_0_to_15/16", people=16, test_scenes=2)
    [(BairClip(split=1, number=1), BairClip(split=0, number=15))]
    >>> len(assign_transfers("transfer", people=64, test_scenes=16))
    64
    """
    if truth == "none":
        return []
    if truth == "transfer":
        return [
            (BairClip(1, scene), BairClip(1, motion))
            for scene in range(test_scenes)
            for motion in range(min(DRIVERS, test_scenes))
        ]
    known = {
        clip.name: clip
        for split, count in enumerate((people, test_scenes))
        for clip in (BairClip(split, number) for number in range(count))
    }
    pairs = [text.strip().split(":") for text in truth.split(",")]
    for pair in pairs:
        if len(pair) != 2 or not all(name in known for name in pair):
            raise ConfigError(
                f"truth {':'.join(pair)!r}: expected 'transfer', 'none' or pairs like "
                "'test/traj_0_to_15/2:test/traj_0_to_15/1' (the second scene of the first file of test clips with the "
                f"motion of the first) of {people} clips in train/ and {test_scenes} in test/, {PER_FILE} a file"
            )
    return sorted({(known[scene], known[motion]) for scene, motion in pairs})


def clip_trajectory(seed: int, scene: BairClip, motion: BairClip) -> PushTrajectory:
    """Return the trajectory of arm and things when the motion of one clip is performed in the scene of another."""
    return push(clip_scene(seed, scene), draw_motion(seed, motion.split, motion.number))


def clip_scene(seed: int, clip: BairClip) -> ArmScene:
    """Return the scene of a clip."""
    return draw_scene(seed, clip.split, clip.number)


@lru_cache(maxsize=4)
def renderer(seed: int, clip: BairClip, camera: str) -> ArmRenderer:
    """Return the renderer of a clip's scene. Jobs are ordered by scene, so each renderer is made once."""
    return ArmRenderer(clip_scene(seed, clip), camera)


def write_job(job: FileJob | TruthJob) -> None:
    """Render the files of a job unless they exist."""
    if isinstance(job, FileJob):
        if not job.path.exists():
            write_records(job.path, (encode_example(record_features(job.seed, clip)) for clip in job.clips))
    elif not job.frames.is_dir():
        trajectory = clip_trajectory(job.seed, job.scene, job.motion)
        with whole_folder(job.frames) as temporary:
            for number, frame in enumerate(renderer(job.seed, job.scene, TRUTH_CAMERA).render_trajectory(trajectory)):
                write_image(temporary / f"{number:03d}.png", frame)


def record_features(seed: int, clip: BairClip) -> dict[str, bytes | np.ndarray]:
    """Return the features of the TFRecord of a clip.

    `endeffector_pos` is the gripper's x, y, z in metres. `action` is the change of these and of its yaw, in radians, up
    to the next frame. It is zero in the last frame.
    """
    trajectory = clip_trajectory(seed, clip, clip)
    # Repeating the last pose makes the last action zero.
    moves = np.diff(trajectory.gripper[:, :4], axis=0, append=trajectory.gripper[-1:, :4])
    features: dict[str, bytes | np.ndarray] = {}
    for camera in CAMERAS:
        for index, frame in enumerate(renderer(seed, clip, camera).render_trajectory(trajectory)):
            features[image_key(index, camera)] = frame.tobytes()
    for index, (move, pose) in enumerate(zip(moves, trajectory.gripper, strict=True)):
        features[f"{index}/action"] = move
        features[f"{index}/endeffector_pos"] = pose[:3]
    return features


def draw_contact_sheet(seed: int = 0, scale: int = 2) -> np.ndarray:
    """Draw eight moments of six clips, one clip in a row, uint8 RGB.

    The rows are three futures of the first test scene and the second scene, seen by aux1, and the third and the fourth
    scene, seen by main.
    """
    first, second, third, fourth = (BairClip(1, number) for number in range(4))
    rows = [(first, motion, "aux1") for motion in (first, second, third)]
    rows += [(second, second, "aux1"), (third, third, "main"), (fourth, fourth, "main")]
    sheet = np.vstack([_row(seed, *row) for row in rows])
    return cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)


def _row(seed: int, scene: BairClip, motion: BairClip, camera: str) -> np.ndarray:
    """Draw eight evenly spaced frames of a clip side by side."""
    trajectory = clip_trajectory(seed, scene, motion)
    picked = [round(place) for place in np.linspace(0, NUM_FRAMES - 1, 8)]
    frames = [
        renderer(seed, scene, camera).render(trajectory.gripper[index], trajectory.things[index]) for index in picked
    ]
    gap = ((0, 1), (0, 1), (0, 0))
    return np.hstack([np.pad(frame, gap, constant_values=255) for frame in frames])
