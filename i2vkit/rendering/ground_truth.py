"""The exact ground truth of motion transfer beside a rendered set.

It is a `ClipFolder` whose clips name the driving clip that they follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2vkit.preparation.jobs import write_table


@dataclass(frozen=True)
class TruthClip:
    """A clip in which `actor` does exactly what happens in another clip.

    Args:
        name: Path below `truth/`, for instance "P075/Anger/as_P071".
        actor: The person who is seen.
        label: The label of the driving clip.
        num_frames: The number of frames.
        fps: Frames per second.
        driving: The name of the driving clip in the raw layout.
        points: The column and the path of its landmarks or joints, relative to `truth/`.
        boxes: The path of the boxes around the person, relative to `truth/`.
    """

    name: str
    actor: str
    label: str
    num_frames: int
    fps: float
    driving: str
    points: tuple[str, str] | None = None
    boxes: str | None = None


def write_truth_index(root: Path, clips: Sequence[TruthClip]) -> None:
    """Write `root/index.csv`.

    Write it last, so that an interrupted rendering has no index and does not look complete.
    """
    columns = ["path", "person", "label", "num_frames", "fps", "driving"]
    sidecars = [
        dict([clip.points] if clip.points else []) | ({"boxes": clip.boxes} if clip.boxes else {}) for clip in clips
    ]
    names = sorted({name for paths in sidecars for name in paths})
    rows = [
        [c.name, c.actor, c.label, c.num_frames, c.fps, c.driving, *(paths.get(name, "") for name in names)]
        for c, paths in zip(clips, sidecars, strict=True)
    ]
    write_table(root / "index.csv", columns + names, rows)
