"""A synthetic data set in the layout of UvA-NEMO, with landmarks and an exact ground truth that real data sets lack."""

from functools import partial
from pathlib import Path

import numpy as np

from i2vkit.datasets.readers.uva_nemo import FPS, LABELS
from i2vkit.datasets.splits import UVA_NEMO_TEST, UVA_NEMO_TRAIN
from i2vkit.media import atomic_path, write_image
from i2vkit.rendering.faces.expression_cycles import draw_smile
from i2vkit.rendering.faces.expressions import FaceMotion
from i2vkit.rendering.faces.face_clips import FaceStudio, RenderedClip, draw_over_time, render_set
from i2vkit.rendering.faces.face_identity import draw_identity
from i2vkit.rendering.subjects import assign_transfers, choose_subjects

FOLDER, DETAILS = "UvA-NEMO_SMILE_DATABASE", "UvA-NEMO_Smile_Database_File_Details.txt"
# The share of people with two smiles of a kind. With it 400 people have about 643 deliberate and 597 spontaneous ones.
TWICE = {"deliberate": 0.61, "spontaneous": 0.49}
AGES = (8, 76)  # ages of the youngest and the oldest person in the real data


def synthesize_uva_nemo(
    out: Path,
    people: int = 40,
    seed: int = 0,
    workers: int | None = None,
    *,
    size: tuple[int, int] = (480, 270),
    truth: str = "transfer",
    contact_sheet: Path | None = None,
) -> str:
    """Write videos of one or two smiles of each kind for each person in the raw layout below `out`, with landmarks.

    The exact ground truth of transferred clips is in `truth/`.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people, up to 400, a fifth of them for testing. A person is the same for every number.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        size: Width and height of the frames in pixels. The real ones have 1920x1080.
        truth: "transfer" (the first two test people drive all test people, with the first smile of each kind), "none"
            or pairs "010:005/spontaneous/smile_1,..." (010 does that smile of 005).
        contact_sheet: File for a picture of two people's smiles over time.

    Returns:
        A summary for the user.

    Raises:
        ConfigError: The number of people, `truth` or `size` is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    names, tested = choose_subjects(people, UVA_NEMO_TRAIN, UVA_NEMO_TEST)
    raw = [raw_clip(out, seed, *what) for person in names for what in _smiles(seed, person)]
    clips = {clip.name: clip for clip in raw}
    exact = assign_transfers(truth, clips, names, tested, _drives, sources=2)
    studio = FaceStudio(seed, size, FPS)
    report = render_set("uva_nemo", out, studio, raw, exact, dict(people=people, size=list(size)), workers)
    _write_details(out / FOLDER / DETAILS, seed, raw)
    if contact_sheet:
        shown = [raw_clip(out, seed, person, kind, 1) for person in UVA_NEMO_TRAIN[:2] for kind in LABELS]
        write_image(contact_sheet, draw_over_time(studio, shown))
    return report


def raw_clip(out: Path, seed: int, person: str, kind: str, number: int) -> RenderedClip:
    """Return a smile in the raw layout below `out`."""
    file = f"{person}_{kind}_smile_{number}"
    return RenderedClip(
        name=f"{person}/{kind}/smile_{number}",
        person=person,
        label=kind,
        motion=partial(clip_motion, seed, int(person), kind, number),
        frames=out / FOLDER / "videos" / f"{file}.mp4",
        landmarks=out / "landmarks" / f"{file}.csv",
        alias=f"{person}_smile_{number}",
    )


def clip_motion(seed: int, person: int, kind: str, number: int) -> FaceMotion:
    """Return the motion of a person's smile in a clip."""
    return draw_smile(np.random.default_rng([seed, 2, person, LABELS.index(kind), number]), kind, FPS)


def _smiles(seed: int, person: str) -> list[tuple[str, str, int]]:
    """Return person, kind and number of the smiles of one person."""
    draws = np.random.default_rng([seed, 3, int(person)]).random(len(LABELS))
    counts = {kind: 1 + int(draw < TWICE[kind]) for kind, draw in zip(LABELS, draws, strict=True)}
    return [(person, kind, number) for kind in LABELS for number in range(1, counts[kind] + 1)]


def _drives(clip: RenderedClip) -> bool:
    """Return whether a clip of a test person drives others. The first smile of each kind does."""
    return clip.name.endswith("smile_1")


def _write_details(path: Path, seed: int, clips: list[RenderedClip]) -> None:
    """Write the table of files in the form of the real data: five header lines, then columns separated by tabs."""
    lines = ["UvA-NEMO Smile Database", "Synthetic data set, no real people", "", "File Subject Age Label", ""]
    for clip in clips:
        age = round(AGES[0] + (AGES[1] - AGES[0]) * draw_identity(seed, int(clip.person)).age)
        lines.append(f"{clip.frames.name}\t{clip.person}\t{age}\t{clip.label}")
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
