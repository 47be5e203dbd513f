"""Preparation of Penn Action."""

from dataclasses import dataclass
from pathlib import Path

from i2vkit.conditions import JointHeatmaps
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.formats.folders import find_sidecar_folder
from i2vkit.datasets.frame_sources import FrameFolder
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.point_files import read_points
from i2vkit.datasets.readers.penn_action import PennAction
from i2vkit.errors import ConfigError, DataError
from i2vkit.preparation.box_tubes import TubeCrop
from i2vkit.preparation.pipeline import maps_path, points_path, prepare_set


def prepare_penn_action(
    source: Path,
    out: Path,
    size: int = 64,
    workers: int | None = None,
    *,
    margin: float = 0.2,
    reach: int = 15,
    maps: bool = False,
) -> str:
    """Crop people along their boxes, in the clips of eight actions and in the rendered truth if there is one.

    Joints are transformed with the frames. Clips of any length are kept. The `min_frames` of a config leaves out those
    that are too short for it.

    Args:
        source: The raw data, with `frames/` and `labels/`, or a folder above them.
        out: The prepared data: `0001/baseball_pitch/0001/000.png`, `index.csv`, `joints/`, `skipped.csv`, `truth/`,
            and `maps/`.
        size: Side of the frames in pixels.
        workers: Number of processes. By default one for each core.
        margin: The share by which the square is larger than the box.
        reach: Number of frames before and after over which the square is smoothed.
        maps: Write heatmaps of the joints as condition maps, 13 for each frame. It also adds them to a set that was
            prepared without.

    Raises:
        ConfigError: The size is below 16, or margin or reach is negative.
        DataError: There are no clips, `out` was prepared with other settings, or it cannot be written.
    """
    if margin < 0 or reach < 0:
        raise ConfigError(f"--margin and --reach must not be negative, got {margin} and {reach}")
    index = PennAction(str(source)).index()
    first = index.records[0].frames
    assert isinstance(first, FrameFolder)  # Penn Action stores frames as images
    truth = find_sidecar_folder(first.paths[0], source, "truth")
    maker = JointMaps(size) if maps else None
    return prepare_set("penn_action", index, out, TubeCrop(size, margin, reach), workers, truth=truth, maps=maker)


@dataclass(frozen=True)
class JointMaps:
    """A ``MapMaker`` that draws the heatmaps of a prepared clip's joints.

    Args:
        size: The side of the maps in pixels.
        sigma: The standard deviation of the Gaussians, as a share of ``size``.
    """

    size: int
    sigma: float = 1 / 32

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write uint8 (T, 13, size, size), unless that is done. Raise ``DataError`` if the joints are missing."""
        path, joints = maps_path(root, record), points_path(root, "joints", record)
        if path.exists():
            return
        if not joints.exists():
            raise DataError(f"no joints in {joints}")
        write_maps(path, JointHeatmaps(self.size, self.sigma)(read_points(joints, range(record.num_frames))))
