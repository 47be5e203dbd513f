"""Oulu-CASIA, raw to prepared."""

from collections.abc import Iterator
from pathlib import Path

from i2vkit.datasets.disk import subfolders
from i2vkit.datasets.oulu_casia import OuluCasia
from i2vkit.datasets.preparation.jobs import claim_folder
from i2vkit.datasets.preparation.prepare import RawClip, prepare_clips, summary, write_index
from i2vkit.errors import ConfigError, DataError
from i2vkit.media import image_paths


def prepare_oulu_casia(
    source: Path, out: Path, size: int = 64, workers: int = 1, spectrum: str = "VL", illumination: str = "Strong"
) -> str:
    """Align all clips below `source`, and the rendered truth where there is one, and index them in `out`.

    Args:
        source: The raw data, or any folder above them; `landmarks/` lies there or up to four levels above the frames.
        out: The prepared data: `P001/Anger/VL_Strong/000.png`, `index.csv`, `skipped.csv`, `truth/`.
        size: Side of the aligned frames in pixels.
        workers: Processes.
        spectrum: "VL" (visible light) or "NI" (near infrared).
        illumination: "Strong", "Weak" or "Dark".

    Returns:
        A summary for the user.

    Raises:
        ConfigError: A size below 16.
        DataError: No clips, no landmarks at all, `out` was prepared otherwise, or it cannot be written.
    """
    if size < 16:
        raise ConfigError(f"--size {size}: frames of at least 16 pixels are needed to tell anything")
    index = OuluCasia(str(source), spectrum, illumination).index()
    base = _landmark_base(index.records[0].frames.paths[0], source)
    clips = []
    for record in index.records:
        table = base / "landmarks" / spectrum / illumination / record.person / f"{record.label}.csv"
        frames = tuple(record.frames.paths)
        clips.append(RawClip(record.name, record.person, record.label, record.fps, frames, table, out, size))
    if not any(clip.landmarks.exists() for clip in clips):
        raise _no_landmarks(clips[0].landmarks)
    truth = list(_truth(base / "truth", out / "truth", size))
    settings = {"set": "oulu_casia", "size": size, "spectrum": spectrum, "illumination": illumination}
    claim_folder(out, "prepared.json", settings)
    outcomes = prepare_clips(clips + truth, workers)
    done, done_truth = outcomes[: len(clips)], outcomes[len(clips) :]
    write_index(out, done, index.skipped)
    if truth:
        write_index(out / "truth", done_truth)
    if all(outcome.skipped for outcome in done):
        reasons = sorted({outcome.skipped for outcome in done})
        raise DataError(f"none of the {len(clips)} clips could be prepared, for instance because: {reasons[0]}")
    return "\n".join([summary(done, out)] + ([summary(done_truth, out / "truth")] if truth else []))


def _landmark_base(frame: Path, source: Path) -> Path:
    """The folder that holds `landmarks/`: `source`, or one above `VL/Strong/P001/Anger/000.jpeg`."""
    for folder in (source, *frame.parents[4:8]):
        if (folder / "landmarks").is_dir():
            return folder
    return source


def _truth(source: Path, root: Path, size: int) -> Iterator[RawClip]:
    """Clips `P075/Anger/as_P071`: P075 does P071's clip."""
    for person in subfolders(source):
        for label in subfolders(person):
            for clip in subfolders(label):
                name = f"{person.name}/{label.name}/{clip.name}"
                table = source / "landmarks" / f"{name}.csv"
                if frames := tuple(image_paths(clip)):
                    yield RawClip(name, person.name, label.name, 25.0, frames, table, root, size)


def _no_landmarks(expected: Path) -> DataError:
    return DataError(
        f"no landmarks: looked for {expected} and the like. "
        "Give one CSV file a clip, one row a frame, with the header frame,x0,y0,x1,y1,... in pixels: 68 points in iBUG "
        "order, or 5 (eye on the left of the picture, eye on the right, nose, left and right corner of the mouth)"
    )
