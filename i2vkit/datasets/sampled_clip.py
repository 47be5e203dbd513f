"""The frames sampled from a clip, on which transforms work."""

from dataclasses import dataclass

import numpy as np

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_operations import DeferredFrames


@dataclass
class SampledClip:
    """Some frames of one clip. Transforms fill in its fields.

    Args:
        record: The clip.
        indices: The sampled frames by their place in the clip, (T,).
        frames: uint8 (T, H, W, 3) RGB, or ``DeferredFrames`` for frames on the device.
        states: int64 (T,), see ``LabelStates``.
        landmarks: (T, N, 2) as x, y in pixels of ``frames``, NaN where unknown. Whole numbers are centres of pixels.
        joints: (T, J, 2), as landmarks.
        boxes: (T, 4) as x0, y0, x1, y1, edges of pixels, so that the whole picture is 0, 0, W, H.
        maps: Condition maps uint8 (T, M, H, W), 0..255 for [-1, 1], or ``DeferredFrames``.
        moved: True if the frames are no longer those on the disk, but cropped, scaled or mirrored.
    """

    record: ClipRecord
    indices: np.ndarray | None = None
    frames: np.ndarray | DeferredFrames | None = None
    states: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    joints: np.ndarray | None = None
    boxes: np.ndarray | None = None
    maps: np.ndarray | DeferredFrames | None = None
    moved: bool = False
