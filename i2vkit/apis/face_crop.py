"""Pictures of faces brought to a model as its training data were: cut out around the face, by its landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.preparation.boxes import FirstFrameBox, face_square
from i2vkit.preparation.pipeline import RawClip
from i2vkit.preparation.warping import Warp

# A square picture of which a face takes this share of what it takes of a prepared one is a crop already: crops of other
# origin are wider, and landmarks that are found are not those that a picture was cut out by.
_FILLED = 0.85


def crop_face(
    frame: np.ndarray, landmarks: np.ndarray, framing: FirstFrameBox, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """An image, or a clip by its first frame, cut out as preparation does; what is a crop already is only resized.

    Args:
        frame: uint8 (H, W, 3).
        landmarks: (T, 68 or 5, 2) in its pixels; the first ones say where it is cut out, once for all.
        framing: of the training data, with the model's size.
        what: it is, for the log.

    Returns:
        The picture, uint8 (size, size, 3), and the landmarks (T, N, 2) in the pixels of that.

    Raises:
        DataError: the landmarks all lie in one place.
    """
    height, width = frame.shape[:2]
    if is_crop(frame.shape, landmarks[0], framing):
        print_log(f"the {what}, {width}x{height}, is taken for a crop of a face and used as a whole", "current")
        return fit_square(frame, landmarks, framing.size)
    transforms = framing(RawClip(ClipRecord(what, [frame], what, None, 1), {"landmarks": landmarks}))
    warp, side = Warp(transforms, framing.size), framing.size / transforms[0, 0, 0]
    print_log(f"the {what} is {width}x{height}: cut out are {side:.0f} pixels around the face", "current")
    return warp.frame(frame, 0), warp.points(landmarks)


def is_crop(shape: Sequence[int], landmarks: np.ndarray, framing: FirstFrameBox) -> bool:
    """Whether a picture (height, width) with the landmarks (N, 2) of its face needs no cutting.

    That is one of the model's own size, as a prepared frame is, or any square one that the face fills about as it fills
    a prepared frame.

    >>> corners = np.array([[10.0, 10.0], [90.0, 90.0]])
    >>> is_crop((100, 100), corners, FirstFrameBox(64)), is_crop((100, 120), corners, FirstFrameBox(64))
    (True, False)
    """
    height, width = shape[:2]
    if height != width:
        return False
    return height == framing.size or face_square(landmarks)[1] >= _FILLED * height / (1 + 2 * framing.margin)


def fit_square(frame: np.ndarray, points: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The centre square of a frame (H, W, 3) at the model's size, and points (T, N, 2) in the pixels of that.

    >>> fit_square(np.zeros((16, 24, 3), np.uint8), np.array([[[11.5, 7.5]]]), 32)[1].tolist()
    [[[15.5, 15.5]]]
    """
    sampled = SampledClip(None, frames=frame[None], joints=points.astype(np.float64))
    sampled = Resize(size)(CenterCrop()({"clips": {"driving": sampled}}))["clips"]["driving"]
    return sampled.frames[0], sampled.joints
