"""Preparation of strips of frames, the form in which MoCoGAN offers Weizmann, with silhouettes as condition maps."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from i2vkit.conditions.silhouettes import Silhouettes
from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.readers.strips import FrameStrips
from i2vkit.preparation.backgrounds import estimate_backgrounds
from i2vkit.preparation.person_crops import FixedBox
from i2vkit.preparation.pipeline import maps_path, prepare_set


@dataclass(frozen=True)
class SilhouetteMaps:
    """A ``MapMaker`` that draws silhouettes of people in front of a known background.

    The clip's ``metadata["background"]`` (H, W, 3) is the scene without the person.

    Args:
        size: The side of the maps in pixels.
        faint: See ``Silhouettes``.
        clear: See ``Silhouettes``.
    """

    size: int
    faint: float = 22.0
    clear: float = 45.0

    def __call__(self, root: Path, record: ClipRecord) -> None:
        """Write uint8 (T, 1, size, size), unless that is done."""
        path = maps_path(root, record)
        if path.exists():
            return
        frames = np.stack(list(record.frames))
        maps = Silhouettes(self.faint, self.clear)(frames, record.metadata["background"])[:, 0]
        # Silhouettes are found at the size of the strips, where the background was estimated.
        if maps.shape[1:] != (self.size, self.size):
            maps = np.stack([cv2.resize(one, (self.size, self.size), interpolation=cv2.INTER_AREA) for one in maps])
        write_maps(path, maps[:, None])


def prepare_weizmann_strips(
    source: Path, out: Path, size: int = 64, workers: int | None = None, *, maps: bool = False
) -> str:
    """Write the frames of strips as clips, and with `--maps` the silhouettes of the people.

    The person is the part that differs from the wall behind, see `Silhouettes`. A person who stays in place always
    hides a part of the wall. It is filled in from other clips that show the same wall (see `backgrounds.py`), or else
    interpolated along the rows.

    Args:
        source: The strips, `<action>/<number>.jpg`, or with an `index.csv` that lists them.
        out: The prepared data: `0/wave1/00000002/000.png`, `index.csv`, `maps/`.
        size: Side of the prepared frames in pixels.
        workers: Number of processes. By default one for each core.
        maps: Write silhouettes as condition maps, one for each frame.

    Raises:
        ConfigError: The size is below 16.
        DataError: There are no strips, `out` was prepared with other settings, or it cannot be written.
    """
    index = FrameStrips(str(source)).index()
    records = [replace(r, name=f"{r.person}/{r.label}/{Path(r.name).name}") for r in index.records]
    maker = SilhouetteMaps(size) if maps else None
    if maker is not None and not all(maps_path(out, record).exists() for record in records):
        records = with_backgrounds(records, maker)
    index = replace(index, records=records)
    return prepare_set("weizmann_strips", index, out, FixedBox(size), workers, maps=maker)


def with_backgrounds(records: list[ClipRecord], maker: SilhouetteMaps) -> list[ClipRecord]:
    """Add the scene behind each person to the clips, as ``metadata["background"]``.

    Mirrored clips are turned back first, so that all show the same wall in the same direction.
    """
    silhouettes = Silhouettes(maker.faint, maker.clear)

    def find(clip: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Return masks of the person, bool (T, H, W)."""
        return silhouettes(clip, background)[:, 0] > 0

    turned = [bool(record.metadata.get("mirrored")) for record in records]
    clips = [np.stack(list(record.frames)) for record in records]
    # (T, H, W, 3): flip the columns of mirrored clips.
    clips = [clip[:, :, ::-1] if flip else clip for clip, flip in zip(clips, turned, strict=True)]
    backgrounds = estimate_backgrounds(clips, find)
    backgrounds = [
        background[:, ::-1] if flip else background for background, flip in zip(backgrounds, turned, strict=True)
    ]
    return [
        replace(record, metadata=record.metadata | {"background": background})
        for record, background in zip(records, backgrounds, strict=True)
    ]
