"""Crops of faces by landmarks, which make a picture look like the training data of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipRecord
from i2vkit.datasets.frame_sources import GivenFrames
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.transforms import CenterCrop, Resize
from i2vkit.preparation.alignment import LEFT_EYE, RIGHT_EYE, EyeAlignment, eye_centres
from i2vkit.preparation.boxes import FirstFrameBox, face_square
from i2vkit.preparation.pipeline import Framing, RawClip
from i2vkit.preparation.warping import Warp

# A square picture counts as a crop if the face fills at least this share of what it fills in a prepared one. Crops of
# other origin are wider, and detected landmarks differ from those that a picture was cut out by.
_FILLED = 0.85
# A square picture counts as a crop by the eyes if they are at least this share as far apart as in a prepared one.
_APART = 0.85


def crop_face(frame: np.ndarray, landmarks: np.ndarray, framing: Framing, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Cut an image, or the first frame of a clip, out around the face as preparation does.

    A picture that is such a crop already is only resized.

    Args:
        frame: uint8 (H, W, 3).
        landmarks: (T, 68 or 5, 2) in pixels of ``frame``. The framing says whether the first ones set the crop for all
            frames, or each frame has its own.
        framing: The framing of the training data, with the model's size.
        what: Name of the picture in the log.

    Returns:
        The picture, uint8 (size, size, 3), and the landmarks (T, N, 2) in its pixels.

    Raises:
        DataError: The landmarks are all in one place.
    """
    height, width = frame.shape[:2]
    if is_crop(frame.shape, landmarks[0], framing):
        print_log(f"the {what}, {width}x{height}, is taken for a crop of a face and used as a whole", "current")
        return fit_square(frame, landmarks, framing.size)
    transforms = framing(RawClip(ClipRecord(what, GivenFrames([frame]), what, None, 1), {"landmarks": landmarks}))
    warp, side = Warp(transforms, framing.size), framing.size / np.sqrt(abs(np.linalg.det(transforms[0, :, :2])))
    print_log(f"the {what} is {width}x{height}: cut out are {side:.0f} pixels around the face", "current")
    return warp.frame(frame, 0), warp.points(landmarks)


def is_crop(shape: Sequence[int], landmarks: np.ndarray, framing: Framing) -> bool:
    """Return True if a picture needs no cutting.

    It needs none if it has the model's own size, as a prepared frame has, or if it is square and the face is about as
    large in it as in a prepared frame.

    Args:
        shape: Height and width of the picture.
        landmarks: Landmarks (N, 2) of its face.
        framing: The framing of the training data.

    >>> corners = np.array([[10.0, 10.0], [90.0, 90.0]])
    >>> is_crop((100, 100), corners, FirstFrameBox(64)), is_crop((100, 120), corners, FirstFrameBox(64))
    (True, False)
    """
    height, width = shape[:2]
    if height != width:
        return False
    if height == framing.size:
        return True
    if isinstance(framing, FirstFrameBox):
        return face_square(landmarks)[1] >= _FILLED * height / (1 + 2 * framing.margin)
    if not isinstance(framing, EyeAlignment):
        return False
    left, right = eye_centres(landmarks)
    return float(np.linalg.norm(right - left)) >= _APART * (RIGHT_EYE[0] - LEFT_EYE[0]) * width


def fit_square(frame: np.ndarray, points: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre square of a frame (H, W, 3) at the model's size, and points (T, N, 2) in its pixels.

    >>> fit_square(np.zeros((16, 24, 3), np.uint8), np.array([[[11.5, 7.5]]]), 32)[1].tolist()
    [[[15.5, 15.5]]]
    """
    record = ClipRecord("the picture", GivenFrames([frame]), "", None, 1)  # transforms name it in messages
    # Transforms take clips: (H, W, 3) -> (1, H, W, 3).
    sampled = SampledClip(record, frames=frame[None], joints=points.astype(np.float64))
    sampled = Resize(size)(CenterCrop()({"clips": {"driving": sampled}}))["clips"]["driving"]
    return sampled.frames[0], sampled.joints
