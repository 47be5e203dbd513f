"""The exact ground truth of motion transfer beside a rendered set: a `ClipFolder` whose clips name the clip they
follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2vkit.preparation.jobs import write_table


@dataclass(frozen=True)
class TruthClip:
    """`actor` doing exactly what happens in the clip `driving` (its name in the raw layout).

    Args:
        name: Path below `truth/`, for instance "P075/Anger/as_P071".
        points: Column and path of its landmarks or joints, relative to `truth/`.
        boxes: Path of the boxes around the person, relative to `truth/`.
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
    """Write `root/index.csv`, the last of the ground truth, so that an interrupted rendering is not taken for a whole
    one.
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
