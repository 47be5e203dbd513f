"""A synthetic data set in the layout of Penn Action, with joints, boxes and the exact ground truth of transfers."""

from functools import partial
from pathlib import Path

import numpy as np

from i2vkit.datasets.formats.matlab import write_mat
from i2vkit.datasets.readers.penn_action import FPS, LABELS, two_stage_split
from i2vkit.errors import ConfigError
from i2vkit.media import image_paths, write_image
from i2vkit.preparation.jobs import claim_folder, run_jobs, whole_folder
from i2vkit.rendering.figures.figure_clips import (
    FigureClip,
    FigureStudio,
    clip_motion,
    render_clip,
    render_truth,
    seen_box,
)
from i2vkit.rendering.subjects import assign_transfers

BOX_LACKS = 5  # every fifth person's clips lack the last box, as some clips of the real data do
SOURCES = 2  # number of test clips of an action that drive all test clips of it
_OUTSIDE = 0.75  # both coordinates of a joint that is outside the picture


def synthesize_penn_action(
    out: Path,
    people: int = 12,
    seed: int = 0,
    workers: int | None = None,
    *,
    size: tuple[int, int] = (320, 240),
    truth: str = "transfer",
) -> str:
    """Write people x eight actions in the raw layout below `out`, with joints and boxes, and transferred clips.

    As in Penn Action, clips are numbered action by action. So the numbers of clips depend on the number of people. A
    third of the people is in each part of FRGAN's split. The same arguments give the same files for any number of
    workers. Finished clips are not rendered again.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        size: Width and height of the frames in pixels.
        truth: "transfer" (of each action two of FRGAN's test clips drive all of them), "none" or pairs "0012:0009,..."
            (the person in clip 0012 does what happens in clip 0009).

    Returns:
        A summary for the user.

    Raises:
        ConfigError: `truth`, `size` or the number of people is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if people < 1 or min(size) < 32:
        raise ConfigError(f"people must be at least 1 and frames at least 32 pixels each way, got {people} and {size}")
    studio = FigureStudio(seed, "penn_action", size, FPS)
    clips = clips_of(people)
    pairs = transfers(clips) if truth == "transfer" else assign_transfers(truth, clips, list(clips), [])
    claim_folder(out, "synthetic.json", {"set": "penn_action", "seed": seed, "people": people, "size": list(size)})
    # Clips are ordered by person, so that each person is set up once.
    ordered = sorted(clips.values(), key=lambda clip: clip.number)
    counts = run_jobs(partial(write_clip, out, studio, people), ordered, workers, chunk=len(LABELS))
    numbers = {number: clip.number for number, clip in clips.items()}
    exact = render_truth(out / "truth", studio, pairs, numbers, workers)
    return (
        f"{out}: {len(clips)} clips of {people} people, {sum(counts)} frames; "
        f"{len(exact)} clips of truth, {sum(clip.num_frames for clip in exact)} frames"
    )


def clips_of(people: int) -> dict[str, FigureClip]:
    """Return all clips by number: those of the first action from person 1 on, then those of the next."""
    clips = {}
    for place, label in enumerate(LABELS):
        for person in range(1, people + 1):
            number = f"{place * people + person:04d}"
            name = f"{number}/{label}/{number}"
            clips[number] = FigureClip(name, number, person, label, (person, place), cut=int(lacks_box(person)))
    return clips


def lacks_box(person: int) -> bool:
    """Return whether the last box of that person's clips is missing."""
    return person % BOX_LACKS == 1


def transfers(clips: dict[str, FigureClip]) -> list[tuple[str, FigureClip]]:
    """Return the transfers of the option "transfer".

    For each action the first of FRGAN's test clips drive all of its test clips.
    """
    sets = two_stage_split({number: clip.label for number, clip in clips.items()})
    pairs = []
    for label in LABELS:
        tested = [number for number, clip in clips.items() if clip.label == label and sets[number] == "test"]
        pairs += [(actor, clips[driving]) for actor in tested for driving in tested[:SOURCES]]
    return pairs


def write_clip(out: Path, studio: FigureStudio, people: int, clip: FigureClip) -> int:
    """Render a clip unless it exists, and return its number of frames."""
    frames, labels = out / "frames" / clip.person, out / "labels" / f"{clip.person}.mat"
    if frames.is_dir() and labels.exists():
        return len(image_paths(frames))
    joints, boxes = [], []
    with whole_folder(frames) as folder:
        for number, frame in enumerate(render_clip(studio, clip), start=1):
            write_image(folder / f"{number:06d}.jpg", frame.image)
            joints.append(frame.joints)
            boxes.append(seen_box(frame))
        trains = clip.number <= (people + 1) // 2  # Penn trains on half of the clips of an action
        heading = clip_motion(studio, clip).heading
        write_mat(labels, penn_labels(clip, np.stack(joints), np.stack(boxes), studio.size, trains, heading))
    return len(joints)


def penn_labels(
    clip: FigureClip, joints: np.ndarray, boxes: np.ndarray, size: tuple[int, int], trains: bool, heading: float
) -> dict:
    """Return the fields of a clip's labels, in pixels counted from 1 as in MATLAB.

    Args:
        clip: The clip.
        joints: (T, 13, 2), in pixels counted from 0.
        boxes: (T, 4), x0, y0, x1, y1 by the edges of pixels.
        size: The width and height of the frames.
        trains: Whether Penn's own split trains on it.
        heading: The direction that the person faces, in degrees from the front.
    """
    width, height = size
    inside = np.all((joints > -0.5) & (joints < np.array(size) - 0.5), axis=-1)  # (T, 13)
    # (T, 13, 2); pixels count from 1.
    places = np.where(inside[..., None], joints + 1, _OUTSIDE)
    return {
        "action": clip.label,
        "pose": ("front", "right", "back", "left")[round(heading / 90) % 4],
        "x": places[..., 0],
        "y": places[..., 1],
        "visibility": inside.astype(float),
        "train": 1 if trains else -1,
        # With pixels counted from 1, the upper left edges are one larger and the lower right ones stay.
        "bbox": np.nan_to_num(boxes + np.array([1, 1, 0, 0]))[: len(boxes) - clip.cut],
        "dimensions": np.array([[height, width, len(joints)]], float),
        "nframes": len(joints),
    }
