"""Oulu-CASIA, raw to prepared."""

from collections.abc import Iterator
from pathlib import Path

from i2vkit.datasets.disk import subfolders
from i2vkit.datasets.oulu_casia import OuluCasia
from i2vkit.datasets.preparation.jobs import claim_folder
from i2vkit.datasets.preparation.prepare import Outcome, RawClip, prepare_clips, summary, write_index
from i2vkit.errors import DataError
from i2vkit.media import image_paths


def prepare_oulu_casia(
    source: Path, out: Path, size: int = 64, workers: int = 1, spectrum: str = "VL", illumination: str = "Strong"
) -> str:
    """Align all clips below `source`, and the rendered truth where there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them, with `landmarks/` beside.
        out: The prepared data: `P001/Anger/VL_Strong/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the aligned frames in pixels.
        workers: Processes.
        spectrum: "VL" (visible light) or "NI" (near infrared).
        illumination: "Strong", "Weak" or "Dark".

    Returns:
        A summary for the user.

    Raises:
        DataError: No clips, no landmarks at all, another `out` was prepared otherwise, or it cannot be written.
    """
    clips = [
        RawClip(
            record.name,
            record.person,
            record.label,
            record.fps,
            record.frames.paths,
            record.side.get("landmarks"),
            out,
            size,
        )
        for record in OuluCasia(str(source), spectrum, illumination).index().records
    ]
    if all(clip.landmarks is None for clip in clips):
        raise _no_landmarks(source, spectrum, illumination, clips[0])
    truth = list(_truth(source, out / "truth", size))
    claim_folder(
        out, "prepared.json", {"set": "oulu_casia", "size": size, "spectrum": spectrum, "illumination": illumination}
    )
    outcomes = prepare_clips(clips + truth, workers)
    parts = [(out, outcomes[: len(clips)])] + ([(out / "truth", outcomes[len(clips) :])] if truth else [])
    for root, part in parts:
        write_index(root, part)
    if all(outcome.skipped for outcome in parts[0][1]):
        raise DataError(f"none of the {len(clips)} clips could be prepared: {_reasons(parts[0][1])}")
    return "\n".join(summary(part, root) for root, part in parts)


def _truth(source: Path, root: Path, size: int) -> Iterator[RawClip]:
    """Clips `truth/P075/Anger/as_P071`: P075 does P071's clip."""
    for person in subfolders(source / "truth"):
        for label in subfolders(person):
            for clip in subfolders(label):
                name = f"{person.name}/{label.name}/{clip.name}"
                table = source / "truth" / "landmarks" / f"{name}.csv"
                if frames := image_paths(clip):
                    yield RawClip(
                        name,
                        person.name,
                        label.name,
                        25.0,
                        tuple(frames),
                        table if table.exists() else None,
                        root,
                        size,
                    )


def _no_landmarks(source: Path, spectrum: str, illumination: str, clip: RawClip) -> DataError:
    expected = source / "landmarks" / spectrum / illumination / clip.person / f"{clip.label}.csv"
    return DataError(
        f"no landmarks: looked for {expected} and the like. "
        "Give one CSV file a clip, one row a frame, with the header frame,x0,y0,x1,y1,... in pixels: 68 points in iBUG "
        "order, or 5 (eye on the left of the picture, eye on the right, nose, left and right corner of the mouth)"
    )


def _reasons(outcomes: list[Outcome]) -> str:
    reasons = sorted({outcome.skipped for outcome in outcomes})
    return "; ".join(reasons[:3])
