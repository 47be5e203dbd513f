"""A synthetic data set in the layout of NATOPS, with joints and an exact ground truth that real data sets lack."""

from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from i2vkit.datasets.readers.natops import LABELS, SEGMENTATION, Segment
from i2vkit.datasets.splits import SPLITS
from i2vkit.errors import ConfigError
from i2vkit.media import VideoWriter, atomic_path
from i2vkit.preparation.jobs import claim_folder, run_jobs
from i2vkit.preparation.landmarks import write_landmarks
from i2vkit.rendering.figures.figure_clips import FigureClip, FigureStudio, clip_motion, render_clip, render_truth
from i2vkit.rendering.subjects import assign_transfers, choose_subjects

FPS = 20.0
REST = (6, 16)  # number of frames at rest before each repeat and after the last, from 6 to 15


@dataclass(frozen=True)
class Session:
    """A video in which one person repeats a gesture, with a rest before each repeat and at the end."""

    clips: tuple[FigureClip, ...]
    rests: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the video, for instance "g03s16"."""
        return self.clips[0].alias.split("r")[0]


def synthesize_natops(
    out: Path,
    people: int = 20,
    seed: int = 0,
    workers: int | None = None,
    *,
    repeats: int = 20,
    size: tuple[int, int] = (320, 240),
    truth: str = "transfer",
) -> str:
    """Write people x 24 gestures in the raw layout below `out`, with joints and the ground truth of transferred clips.

    The same arguments give the same files for any number of workers. Finished videos are not rendered again.

    Args:
        out: The folder to write to. It keeps its settings in `synthetic.json`.
        people: Number of people, up to twenty. People for training and people for testing are both among them.
        seed: Seed of people and motions.
        workers: Number of processes. By default one for each core.
        repeats: Number of repeats of each gesture by each person. The first ones are the same for every number.
        size: Width and height of the frames in pixels.
        truth: "transfer" (two test people drive all of them, with the first repeat of each gesture), "none" or pairs
            "s17:g03s16r02,..." (s17 does what s16 does in that clip).

    Returns:
        A summary for the user.

    Raises:
        ConfigError: `truth`, `size`, or the number of people or repeats is invalid.
        DataError: `out` holds another rendering, or cannot be written.
    """
    if min(size) < 32 or not 1 <= repeats <= 99:
        raise ConfigError(
            f"frames need at least 32 pixels each way and 1 to 99 repeats, got {size[0]}x{size[1]} pixels and {repeats}"
        )
    names, tested = choose_subjects(people, SPLITS["natops/train"], SPLITS["natops/test"])
    studio = FigureStudio(seed, "natops", size, FPS)
    sessions = [session_of(studio, name, label, repeats) for name in names for label in LABELS]
    clips = {clip.alias: clip for session in sessions for clip in session.clips}
    pairs = assign_transfers(truth, clips, names, tested, driving=lambda clip: clip.alias.endswith("r01"), sources=2)
    settings = {"set": "natops", "seed": seed, "people": people, "repeats": repeats, "size": list(size)}
    claim_folder(out, "synthetic.json", settings)
    segments = run_jobs(partial(write_session, out / "data", studio), sessions, workers, chunk=2)
    write_segmentation(out / "data" / SEGMENTATION, dict(zip(sessions, segments, strict=True)))
    exact = render_truth(out / "truth", studio, pairs, {name: int(name[1:]) for name in names}, workers)
    frames = sum(segment.last - segment.first + 1 for session in segments for segment in session)
    return (
        f"{out}: {len(clips)} clips of {people} people in {len(sessions)} videos, {frames} frames; "
        f"{len(exact)} clips of truth, {sum(clip.num_frames for clip in exact)} frames"
    )


def session_of(studio: FigureStudio, person: str, label: str, repeats: int) -> Session:
    """Return the session of one person and one gesture."""
    number, gesture = int(person[1:]), int(label.removeprefix("gesture"))
    clips = [
        FigureClip(
            f"{person}/{label}/g{gesture:02d}{person}r{place:02d}", person, number, label, (number, gesture, place)
        )
        for place in range(1, repeats + 1)
    ]
    rests = [int(np.random.default_rng([studio.seed, 3, *clip.motion]).integers(*REST)) for clip in clips]
    return Session(tuple(clips), tuple(rests))


def write_session(root: Path, studio: FigureStudio, session: Session) -> list[Segment]:
    """Render a video and the joints of its repeats unless they exist, and return the positions of the repeats.

    At rest the picture is the first one of the next repeat. After the last repeat it is the last one of that repeat.
    """
    label = session.clips[0].label
    video = root / label / f"{session.name}.avi"
    tables = [root / "joints" / label / f"{clip.alias}.csv" for clip in session.clips]
    if not all(path.exists() for path in (video, *tables)):
        with VideoWriter(video, studio.fps) as writer:
            for clip, rest, table in zip(session.clips, session.rests, tables, strict=True):
                joints = []
                frames = render_clip(studio, clip)
                first = next(frames)
                for frame in chain(repeat(first, rest), [first], frames):
                    writer.write(frame.image)
                    joints.append(frame.joints)
                # The table covers the repeat itself, without the rest before it.
                write_landmarks(table, np.stack(joints[rest:]))
            # The video ends with a rest that repeats the last picture.
            for _ in range(REST[0]):
                writer.write(frame.image)
    return segments_of(session, [len(clip_motion(studio, clip)) for clip in session.clips])


def segments_of(session: Session, lengths: list[int]) -> list[Segment]:
    """Return the positions in its video of the repeats, which have `lengths` frames."""
    segments, last = [], 0
    for number, (rest, length) in enumerate(zip(session.rests, lengths, strict=True), start=1):
        segments.append(Segment(number, last + rest + 1, last + rest + length))
        last = segments[-1].last
    return segments


def write_segmentation(path: Path, sessions: dict[Session, list[Segment]]) -> None:
    """Write the table of all repeats in the form of the original: headers with subject, gesture and number of repeats.

    The meaning of the third number in the original is not documented, and readers do not use it.
    """
    lines, last = [], ""
    for session, segments in sessions.items():
        subject, gesture, _ = session.clips[0].motion
        if session.clips[0].person != last:
            last = session.clips[0].person
            lines.append(f"// Subject {subject}")
        lines.append(f"{subject},{gesture},{len(segments)}")
        lines += [f"{segment.repeat}:{segment.first},{segment.last}" for segment in segments]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
