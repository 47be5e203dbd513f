"""Strips of frames, raw to prepared: Weizmann as MoCoGAN hands it out, with silhouettes as condition maps."""

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
    """Makes the silhouettes of clips whose ``metadata["background"]`` (H, W, 3) is the scene without the person."""

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
        if maps.shape[1:] != (self.size, self.size):
            maps = np.stack([cv2.resize(one, (self.size, self.size), interpolation=cv2.INTER_AREA) for one in maps])
        write_maps(path, maps[:, None])


def prepare_weizmann_strips(
    source: Path, out: Path, size: int = 64, workers: int | None = None, *, maps: bool = False
) -> str:
    """Write the frames of strips as clips, and with `--maps` the silhouettes of the people.

    The person is what differs from the wall behind, see `Silhouettes`. Who waves hides a part of it all the time; that
    is filled in from the other clips that show the same wall (`backgrounds.py`), and where none does along the rows.

    Args:
        source: The strips, `<action>/<number>.jpg`, or with an `index.csv` that lists them.
        out: The prepared data: `0/wave1/00000002/000.png`, `index.csv`, `maps/`.
        size: Side of the prepared frames in pixels.
        workers: Processes; one a core by default.
        maps: Silhouettes as condition maps, one a frame.

    Raises:
        ConfigError: A size below 16.
        DataError: No strips, `out` was prepared otherwise, or it cannot be written.
    """
    index = FrameStrips(str(source)).index()
    records = [replace(r, name=f"{r.person}/{r.label}/{Path(r.name).name}") for r in index.records]
    maker = SilhouetteMaps(size) if maps else None
    if maker is not None and not all(maps_path(out, record).exists() for record in records):
        records = with_backgrounds(records, maker)
    index = replace(index, records=records)
    return prepare_set("weizmann_strips", index, out, FixedBox(size), workers, maps=maker)


def with_backgrounds(records: list[ClipRecord], maker: SilhouetteMaps) -> list[ClipRecord]:
    """The clips with the scene behind each person in ``metadata["background"]``; mirror images are turned back for
    it.
    """
    silhouettes = Silhouettes(maker.faint, maker.clear)

    def find(clip: np.ndarray, background: np.ndarray) -> np.ndarray:
        return silhouettes(clip, background)[:, 0] > 0

    turned = [bool(record.metadata.get("mirrored")) for record in records]
    clips = [np.stack(list(record.frames)) for record in records]
    clips = [clip[:, :, ::-1] if flip else clip for clip, flip in zip(clips, turned, strict=True)]
    backgrounds = estimate_backgrounds(clips, find)
    backgrounds = [
        background[:, ::-1] if flip else background for background, flip in zip(backgrounds, turned, strict=True)
    ]
    return [
        replace(record, metadata=record.metadata | {"background": background})
        for record, background in zip(records, backgrounds, strict=True)
    ]
