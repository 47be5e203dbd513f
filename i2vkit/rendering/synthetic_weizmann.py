"""A synthetic data set in the layout of the original Weizmann, with silhouettes, joints and the exact ground truth."""

from functools import partial
from pathlib import Path

import numpy as np

from i2vkit.datasets.formats.matlab import write_mat
from i2vkit.datasets.readers.weizmann import LABELS, MASKS, PEOPLE
from i2vkit.datasets.splits import SPLITS
from i2vkit.errors import ConfigError
from i2vkit.media import VideoWriter
from i2vkit.preparation.jobs import claim_folder, run_jobs
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.figures.figure_clips import FigureClip, FigureStudio, clip_motion, render_clip, render_truth
from i2vkit.rendering.subjects import assign_transfers, choose_subjects

FPS = 25.0
# Person and action of the clips that were filmed twice. Their two files have a digit at the end.
TWICE = ("lena_run", "lena_skip", "lena_walk")


def synthesize_weizmann(
    out: Path,
    people: int = 9,
    seed: int = 0,
    workers: int | None = None,
    *,
    size: tuple[int, int] = (180, 144),
    truth: str = "transfer",
) -> str:
    """Write people x ten actions in the raw layout below `out`, with silhouettes and joints, and transferred clips.

    The same arguments give the same files for any number of workers. Finished clips are not rendered again.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people, up to nine. People for training and people for testing are both among them.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        size: Width and height of the frames in pixels.
        truth: "transfer" (the test people drive each other), "none" or pairs "moshe:lyova_walk,..." (moshe does what
            lyova does in that clip).

    Returns:
        A summary for the user.

    Raises:
        ConfigError: `truth`, `size` or the number of people is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if min(size) < 32:
        raise ConfigError(f"frames must be at least 32 pixels each way, got {size[0]}x{size[1]}")
    names, tested = choose_subjects(people, SPLITS["weizmann_official/train"], SPLITS["weizmann_official/test"])
    studio = FigureStudio(seed, "weizmann", size, FPS)
    clips = {clip.alias: clip for name in names for clip in clips_of(name)}
    pairs = assign_transfers(truth, clips, names, tested, driving=lambda clip: not clip.alias.endswith(_SECOND))
    claim_folder(out, "synthetic.json", {"set": "weizmann", "seed": seed, "people": people, "size": list(size)})
    # The file of all silhouettes is written after all clips, so it exists only when they are complete.
    with_masks = not (out / MASKS).exists()
    rendered = run_jobs(partial(write_clip, out, studio, with_masks), list(clips.values()), workers, chunk=len(LABELS))
    if with_masks:
        write_masks(out / MASKS, {name: masks for name, (_, masks) in zip(clips, rendered, strict=True)}, size)
    exact = render_truth(out / "truth", studio, pairs, {name: PEOPLE.index(name) + 1 for name in names}, workers)
    return (
        f"{out}: {len(clips)} clips of {people} people, {sum(count for count, _ in rendered)} frames; "
        f"{len(exact)} clips of truth, {sum(clip.num_frames for clip in exact)} frames"
    )


_SECOND = tuple(f"{name}2" for name in TWICE)


def clips_of(person: str) -> list[FigureClip]:
    """Return the clips of one of the nine people, by action and take."""
    number = PEOPLE.index(person) + 1
    clips = []
    for place, label in enumerate(LABELS):
        takes = ("1", "2") if f"{person}_{label}" in TWICE else ("",)
        for take, digit in enumerate(takes, start=1):
            name = f"{person}/{label}/{person}_{label}{digit}"
            clips.append(FigureClip(name, person, number, label, (number, place, take)))
    return clips


def write_clip(out: Path, studio: FigureStudio, with_masks: bool, clip: FigureClip) -> tuple[int, np.ndarray | None]:
    """Render a clip unless it exists, and return its number of frames and, on request, its silhouettes as packed bits.

    The silhouettes (T, H, W) of all clips go into one file. If that file is missing, all clips are rendered again.
    """
    video, joints = out / clip.label / f"{clip.alias}.avi", out / "joints" / f"{clip.alias}.csv"
    if video.exists() and joints.exists() and not with_masks:
        return len(clip_motion(studio, clip)), None
    points, masks = [], []
    with VideoWriter(video, studio.fps) as writer:
        for frame in render_clip(studio, clip):
            writer.write(frame.image)
            points.append(frame.joints)
            masks.append(np.packbits(frame.mask, axis=-1))
        write_landmarks(joints, np.stack(points))
    return len(points), np.stack(masks)


def write_masks(path: Path, packed: dict[str, np.ndarray], size: tuple[int, int]) -> None:
    """Write the silhouettes in the form of the original.

    The variables `original_masks` and `aligned_masks` hold silhouettes (H, W, T) by name of the clip. The aligned ones
    are cropped around the person.
    """
    # (T, H, W) -> (H, W, T)
    masks = {name: np.unpackbits(bits, axis=-1, count=size[0]).transpose(1, 2, 0) for name, bits in packed.items()}
    aligned = {name: align(clip) for name, clip in masks.items()}
    write_mat(path, {"original_masks": masks, "aligned_masks": aligned}, compress=True)


def align(masks: np.ndarray) -> np.ndarray:
    """Move silhouettes (H, W, T) so that the centre of each is in the middle, and crop them to the common size."""
    seen = [np.argwhere(masks[..., number]) for number in range(masks.shape[2])]
    # Rows and columns relative to the centre of each silhouette.
    offsets = [points - np.rint(points.mean(axis=0)).astype(int) for points in seen if len(points)]
    reach = np.abs(np.concatenate(offsets)).max(axis=0) if offsets else np.zeros(2, int)
    result = np.zeros((*(2 * reach + 1), masks.shape[2]), np.uint8)
    places = iter(offsets)
    for number, points in enumerate(seen):
        if len(points):
            rows, columns = (next(places) + reach).T
            result[rows, columns, number] = 1
    return result
