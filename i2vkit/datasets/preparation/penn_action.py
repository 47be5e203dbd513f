"""Penn Action, raw to prepared."""

from pathlib import Path

from i2vkit.datasets.disk import folder_beside
from i2vkit.datasets.penn_action import PennAction
from i2vkit.datasets.preparation.prepare import prepare_set
from i2vkit.datasets.preparation.tubes import TubeCrop
from i2vkit.errors import ConfigError


def prepare_penn_action(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    margin: float = 0.2,
    reach: int = 15,
) -> str:
    """Cut people out along their boxes, in the clips of eight actions and in the rendered truth where there is one.

    Joints are moved along. Clips are kept whatever their length; the configs' `min_frames` leaves out those that are
    too short for them.

    Args:
        source: The raw data, with `frames/` and `labels/`, or a folder above them.
        out: The prepared data: `0001/baseball_pitch/0001/000.png`, `index.csv`, `joints/`, `skipped.csv`, `truth/`.
        size: Side of the frames in pixels.
        workers: Processes; one a core by default.
        margin: How much larger than the box the square is, as a share.
        reach: Over how many frames before and after the square is smoothed.

    Raises:
        ConfigError: A size below 16, a negative margin or reach.
        DataError: No clips, `out` was prepared otherwise, or it cannot be written.
    """
    if margin < 0 or reach < 0:
        raise ConfigError(f"--margin and --reach must not be negative, got {margin} and {reach}")
    index = PennAction(str(source)).index()
    truth = folder_beside(index.records[0].frames.paths[0], source, "truth")
    return prepare_set("penn_action", index, out, TubeCrop(size, margin, reach), workers, truth=truth)
