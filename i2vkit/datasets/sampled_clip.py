"""What a transform works on: the frames taken from a clip."""

from dataclasses import dataclass

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord


@dataclass
class SampledClip:
    """Some frames of one clip; transforms fill it in.

    ``indices`` (T,) the frames taken, by their place in the clip; ``frames`` uint8 (T, H, W, 3) RGB; ``states`` int64
    (T,); ``landmarks`` (T, N, 2) and ``joints`` (T, J, 2) as x, y in pixels of ``frames`` whose centres are whole
    numbers, NaN where unknown; ``boxes`` (T, 4) as x0, y0, x1, y1, edges of pixels, so that the whole picture is
    0, 0, W, H; ``maps`` uint8 (T, M, H, W), condition maps, 0..255 for [-1, 1]; ``moved`` says that the frames are no
    longer those on the disk, but cropped, scaled or mirrored.
    """

    record: ClipRecord
    indices: np.ndarray | None = None
    frames: np.ndarray | None = None
    states: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    joints: np.ndarray | None = None
    boxes: np.ndarray | None = None
    maps: np.ndarray | None = None
    moved: bool = False
