"""A rendered stand-in for Oulu-CASIA: its raw layout with landmarks, and the exact truth that no real data set has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from i2vkit.datasets.preparation.jobs import claim_folder, run_jobs, whole_folder
from i2vkit.datasets.preparation.landmarks import write_landmarks
from i2vkit.datasets.synthetic.expressions import EXPRESSIONS, Motion, draw_motion
from i2vkit.datasets.synthetic.face_renderer import FaceRenderer
from i2vkit.datasets.synthetic.identity import draw_identity
from i2vkit.errors import ConfigError
from i2vkit.media import image_paths, write_image

GAINS = {"Strong": 1.0, "Weak": 0.62, "Dark": 0.3}


@dataclass(frozen=True)
class RenderedClip:
    """Person `actor` doing the clip `label` of person `source`, and where it goes."""

    seed: int
    actor: int
    source: int
    label: str
    frames: Path
    landmarks: Path
    suffix: str
    size: tuple[int, int]  # width, height
    camera: str
    light: str


def synthesize_oulu_casia(
    out: Path,
    people: int = 80,
    seed: int = 0,
    size: tuple[int, int] = (320, 240),
    camera: str = "VL",
    light: str = "Strong",
    truth: str = "transfer",
    workers: int = 1,
) -> str:
    """Write people x six expressions in the raw layout below `out`, with landmarks, and the truth of transferred clips.

    The same arguments give the same files, whatever the number of workers; finished clips are not rendered again.

    Args:
        out: The folder; it keeps its settings in `synthetic.json`.
        people: How many; the first ones are the same whatever their number.
        seed: Of people and motions.
        size: Width and height of the frames in pixels.
        camera: "VL", or "NI" for a grey picture.
        light: "Strong", "Weak" or "Dark".
        truth: "transfer", "none" or pairs "P075:P071:Anger,..." (P075 does P071's clip), see `truth_pairs`.
        workers: Processes.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: A `truth` or a size that makes no sense.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if people < 1 or min(size) < 32:
        raise ConfigError(f"people must be at least 1 and frames at least 32 pixels each way, got {people} and {size}")
    look = dict(size=size, camera=camera, light=light)
    settings = dict(set="oulu_casia", seed=seed, people=people, size=list(size), camera=camera, light=light)
    clips = [
        RenderedClip(
            seed,
            person,
            person,
            label,
            out / "OriginalImg" / camera / light / f"P{person:03d}" / label,
            out / "landmarks" / camera / light / f"P{person:03d}" / f"{label}.csv",
            ".jpeg",
            **look,
        )
        for person in range(1, people + 1)
        for label in EXPRESSIONS
    ]
    exact = [
        RenderedClip(
            seed,
            actor,
            source,
            label,
            out / "truth" / name,
            out / "truth" / "landmarks" / f"{name}.csv",
            ".png",
            **look,
        )
        for actor, source, label in truth_pairs(truth, people)
        for name in [f"P{actor:03d}/{label}/as_P{source:03d}"]
    ]
    claim_folder(out, "synthetic.json", settings)
    frames = run_jobs(write_clip, clips + exact, workers, chunk=len(EXPRESSIONS))
    return (
        f"{out}: {len(clips)} clips of {people} people, {sum(frames[: len(clips)])} frames; "
        f"{len(exact)} clips of truth, {sum(frames[len(clips) :])} frames"
    )


def held_out(people: int) -> range:
    """The numbers of those kept for testing: the last eighth, at least two; of 80 people P071 to P080."""
    return range(max(1, people + 1 - max(2, people // 8)), people + 1)


def truth_pairs(truth: str, people: int) -> list[tuple[int, int, str]]:
    """(actor, source, label) of the truth to render, sorted.

    "transfer" is DTGAN's test: the first four test people (`held_out`) drive all test people, six expressions each.

    Raises:
        ConfigError: Not of the form "P075:P071:Anger,P076:P071:Fear", or a person or an expression that does not exist.

    >>> truth_pairs("P002:P001:Fear", people=2)
    [(2, 1, 'Fear')]
    >>> len(truth_pairs("transfer", people=80))
    240
    """
    if truth == "none":
        return []
    if truth == "transfer":
        tested = held_out(people)
        return [(actor, source, label) for actor in tested for source in tested[:4] for label in EXPRESSIONS]
    return sorted({_parse_pair(text, people) for text in truth.split(",")})


def _parse_pair(text: str, people: int) -> tuple[int, int, str]:
    actor, source, label = (*text.strip().split(":"), "", "")[:3]
    numbers = [int(name[1:]) if name[:1] == "P" and name[1:].isdigit() else 0 for name in (actor, source)]
    if text.count(":") != 2 or label not in EXPRESSIONS or not all(1 <= number <= people for number in numbers):
        raise ConfigError(
            f"truth {text.strip()!r}: expected 'transfer', 'none' or pairs like 'P002:P001:Anger' (P002 does P001's "
            f"clip) of people P001 to P{people:03d} and {', '.join(EXPRESSIONS)}"
        )
    return *numbers, label


def clip_motion(seed: int, person: int, label: str) -> Motion:
    """How that person moves in that clip."""
    return draw_motion(np.random.default_rng([seed, 2, person, EXPRESSIONS.index(label)]), label)


@lru_cache(maxsize=2)
def renderer(seed: int, person: int, width: int, height: int) -> FaceRenderer:
    """Clips come ordered by who is seen, so that each person is set up once."""
    return FaceRenderer(draw_identity(seed, person), width, height)


def write_clip(clip: RenderedClip) -> int:
    """Render a clip unless it is there already; how many frames it has."""
    if clip.frames.is_dir() and clip.landmarks.exists():
        return len(image_paths(clip.frames))
    motion = clip_motion(clip.seed, clip.source, clip.label)
    rendered = list(renderer(clip.seed, clip.actor, *clip.size).render_motion(motion))
    with whole_folder(clip.frames) as temporary:
        for number, (frame, _) in enumerate(rendered):
            write_image(temporary / f"{number:03d}{clip.suffix}", expose(frame, clip.camera, clip.light))
        write_landmarks(clip.landmarks, np.stack([landmarks for _, landmarks in rendered]))
    return len(rendered)


def expose(frame: np.ndarray, camera: str, light: str) -> np.ndarray:
    """The frame (H, W, 3) as that camera sees it in that light."""
    if camera == "NI":
        frame = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return frame if light == "Strong" else cv2.convertScaleAbs(frame, alpha=GAINS[light])


def contact_sheet(people: Sequence[int], seed: int = 0, cell: int = 88) -> np.ndarray:
    """People (rows) at rest and at the apex of the six expressions (columns), uint8 RGB, `cell` pixels each."""
    rows = []
    for person in people:
        face = renderer(seed, person, 320, 240)
        frames = [face.render()[0]]
        for label in EXPRESSIONS:
            motion = clip_motion(seed, person, label)
            frames.append(face.render(*motion[len(motion) - 1])[0])
        rows.append(
            np.hstack(
                [cv2.resize(frame[16:226, 55:265], (cell, cell), interpolation=cv2.INTER_AREA) for frame in frames]
            )
        )
    return np.vstack(rows)
