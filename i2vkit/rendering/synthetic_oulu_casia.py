"""A synthetic data set in the layout of Oulu-CASIA, with landmarks and an exact ground truth that real sets lack."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from i2vkit.datasets.splits import SPLITS
from i2vkit.media import write_image
from i2vkit.rendering.faces.expressions import EXPRESSIONS, FaceMotion, draw_motion
from i2vkit.rendering.faces.face_clips import FaceStudio, RenderedClip, render_set, renderer
from i2vkit.rendering.subjects import assign_transfers, choose_subjects

FPS = 25.0
GAINS = {"Strong": 1.0, "Weak": 0.62, "Dark": 0.3}


def synthesize_oulu_casia(
    out: Path,
    people: int = 80,
    seed: int = 0,
    workers: int | None = None,
    *,
    size: tuple[int, int] = (320, 240),
    camera: Literal["VL", "NI"] = "VL",
    light: Literal["Strong", "Weak", "Dark"] = "Strong",
    truth: str = "transfer",
    contact_sheet: Path | None = None,
) -> str:
    """Write people x six expressions in the raw layout below `out`, with landmarks and the truth of transferred clips.

    The same arguments give the same files for any number of workers. Finished clips are not rendered again.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people, up to 80. People for training and people for testing are both among them.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        size: Width and height of the frames in pixels.
        camera: Visible light, or near infrared for a grey picture.
        light: The strength of the light.
        truth: "transfer" (the first four test people drive all test people, DTGAN's test), "none" or pairs
            "P075:P071:Anger,..." (P075 does P071's clip).
        contact_sheet: File for a picture of the first six people.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: `truth`, `size` or the number of people is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    names, tested = choose_subjects(people, SPLITS["oulu_casia/train"], SPLITS["oulu_casia/test"])
    clips = {
        f"{person}:{label}": raw_clip(out, seed, person, label, camera, light)
        for person in names
        for label in EXPRESSIONS
    }
    exact = assign_transfers(truth, clips, names, tested)
    report = render_set(
        "oulu_casia",
        out,
        FaceStudio(seed, size, FPS, partial(expose, camera=camera, light=light)),
        list(clips.values()),
        exact,
        dict(people=people, size=list(size), camera=camera, light=light),
        workers,
    )
    if contact_sheet:
        write_image(contact_sheet, draw_contact_sheet(range(1, min(people, 6) + 1), seed))
    return report


def raw_clip(out: Path, seed: int, person: str, label: str, camera: str, light: str) -> RenderedClip:
    """Return a clip in the raw layout below `out`."""
    place = Path(camera, light, person)
    return RenderedClip(
        name=f"{person}/{label}/{camera}_{light}",
        person=person,
        label=label,
        motion=partial(clip_motion, seed, int(person[1:]), label),
        frames=out / "OriginalImg" / place / label,
        landmarks=out / "landmarks" / place / f"{label}.csv",
        alias=person,
        image="{:03d}.jpeg",
    )


def clip_motion(seed: int, person: int, label: str) -> FaceMotion:
    """Return the motion of a person in a clip."""
    return draw_motion(np.random.default_rng([seed, 2, person, EXPRESSIONS.index(label)]), label)


def expose(frame: np.ndarray, camera: str, light: str) -> np.ndarray:
    """Return the frame (H, W, 3) as that camera sees it in that light."""
    if camera == "NI":
        frame = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return frame if light == "Strong" else cv2.convertScaleAbs(frame, alpha=GAINS[light])


def draw_contact_sheet(people: Sequence[int], seed: int = 0, cell: int = 88) -> np.ndarray:
    """Draw people (rows) at rest and at the apex of the six expressions (columns), uint8 RGB, `cell` pixels each."""
    rows = []
    for person in people:
        face = renderer(seed, f"P{person:03d}", 320, 240)
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
