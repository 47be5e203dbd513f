"""A synthetic data set in the layout of MUG, with landmarks and an exact ground truth that real data sets lack."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from i2vkit.datasets.readers.mug import FPS, LABELS
from i2vkit.datasets.splits import MUG_FRGAN_FORECAST, MUG_FRGAN_REFINE, MUG_FRGAN_TEST, MUG_TEST, MUG_TRAIN
from i2vkit.errors import ConfigError
from i2vkit.media import write_image
from i2vkit.rendering.faces.expression_cycles import draw_cycle, draw_rest
from i2vkit.rendering.faces.expressions import FaceMotion
from i2vkit.rendering.faces.face_clips import FaceStudio, RenderedClip, draw_over_time, render_set
from i2vkit.rendering.subjects import assign_transfers, choose_subjects, choose_subjects_per_group

FRAMES, NEUTRAL_FRAMES = (64, 100), (24, 30)
# People whose folders have an additional level for sessions in the real data.
IN_SESSIONS = ("002", "049")


def synthesize_mug(
    out: Path,
    people: int = 52,
    seed: int = 0,
    workers: int | None = None,
    *,
    takes: int = 2,
    size: tuple[int, int] = (240, 240),
    truth: str = "transfer",
    split: Literal["imaginator", "frgan"] = "imaginator",
    contact_sheet: Path | None = None,
) -> str:
    """Write people x six expressions and a neutral face in the raw layout below `out`, with landmarks and truth.

    The set has some peculiarities of the real data. The numbers of people are the same, so that the splits apply. Two
    people have a level of sessions. Neutral clips are short, and some clips do not number their frames from 0.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people, from all groups of the `split`. A person is the same for every number.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        takes: Number of clips of each expression.
        size: Width and height of the frames in pixels. The real ones have 896x896.
        truth: "transfer" (the first two test people drive all test people, with the first take of each of six
            expressions), "none" or pairs "017:034/anger/take000,..." (017 does that clip of 034).
        split: The split whose groups the people come from: "imaginator", with a fifth of the people in testing, or
            "frgan", with people for its first stage, its second stage and testing.
        contact_sheet: File for a picture of seven people over time.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: A number, `truth` or `size` is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if not 1 <= takes <= 1000:
        raise ConfigError(f"takes must be from 1 to 1000, got {takes}")
    if split == "frgan":
        names, tested = choose_subjects_per_group(people, MUG_FRGAN_FORECAST, MUG_FRGAN_REFINE, MUG_FRGAN_TEST)
    else:
        names, tested = choose_subjects(people, MUG_TRAIN, MUG_TEST)
    raw = [raw_clip(out, seed, *what) for what in _contents(names, takes)]
    clips = {clip.name: clip for clip in raw}
    exact = assign_transfers(truth, clips, names, tested, _drives, sources=2)
    studio = FaceStudio(seed, size, FPS)
    settings = dict(people=people, takes=takes, size=list(size)) | ({"split": split} if split != "imaginator" else {})
    report = render_set("mug", out, studio, raw, exact, settings, workers)
    if contact_sheet:
        shown = [raw_clip(out, seed, person, label, 0) for person, label in zip(MUG_TRAIN, LABELS, strict=False)]
        write_image(contact_sheet, draw_over_time(studio, shown))
    return report


def raw_clip(out: Path, seed: int, person: str, label: str, take: int) -> RenderedClip:
    """Return a take in the raw layout below `out`."""
    # The level of sessions is between the person and the expression.
    sessions = ["session0"] if person in IN_SESSIONS else []
    place, name = Path(person, *sessions, label), "_".join([*sessions, f"take{take:03d}"])
    return RenderedClip(
        name=f"{person}/{label}/{name}",
        person=person,
        label=label,
        motion=partial(clip_motion, seed, int(person), label, take),
        frames=out / "subjects3" / place / f"take{take:03d}",
        landmarks=out / "landmarks" / place / f"take{take:03d}.csv",
        alias=f"{person}_{name}",
        image="img_{:04d}.jpg",
        first=take,
    )


def clip_motion(seed: int, person: int, label: str, take: int) -> FaceMotion:
    """Return the motion of a person in a take."""
    rng = np.random.default_rng([seed, 2, person, LABELS.index(label), take])
    return draw_rest(rng, FPS, NEUTRAL_FRAMES) if label == "neutral" else draw_cycle(rng, label.title(), FPS, FRAMES)


def _contents(people: list[str], takes: int) -> list[tuple[str, str, int]]:
    """Return person, label and take of all clips."""
    return [(person, label, take) for person in people for label in LABELS for take in range(takes)]


def _drives(clip: RenderedClip) -> bool:
    """Return whether a clip of a test person drives others. The first clip of each expression does."""
    return clip.first == 0 and clip.label != "neutral"
