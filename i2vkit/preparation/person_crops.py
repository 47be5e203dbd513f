"""Whole people cut out of their pictures: squares that follow them smoothly, or stand still where they do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from scipy.signal import savgol_filter

from i2vkit.datasets.point_files import points_of
from i2vkit.errors import DataError
from i2vkit.preparation.box_tubes import square_map
from i2vkit.preparation.pipeline import RawClip

Square = Literal["pad", "cut"]

# Of a channel's 256 values: what differs more from the background is taken for the person.
_DIFFERENCE = 30
# Frames that the median background is taken of, at most.
_SAMPLE = 40
# Less of the picture's height than this is no whole person but a part that moved.
_LEAST_HEIGHT = 0.35


@dataclass(frozen=True)
class PersonCrop:
    """A framing by squares of one size a clip that keep the person in the middle; clips may have ``metadata["boxes"]``.

    Where the person crosses the picture the square follows along a smooth path, else it stands still; it does not
    leave the picture. Its side is the height (or width, if that is more) that the person takes up, and the share
    ``margin`` more. Without boxes the person is what differs from the median of the frames. Of someone who stays
    that finds the moving parts only; if they take up less than 0.35 of the picture's height the square is as large
    as the picture allows.
    """

    size: int
    margin: float = 0.25

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Give the maps (T, 2, 3). Raises ``DataError`` if nobody is found."""
        boxes = points_of(clip.record, "boxes")
        height, width = next(clip.frames()).shape[:2]
        trusted = boxes is not None
        if not trusted:
            boxes = moving_boxes(clip)
        centres, side = smooth_track(boxes, clip.record.fps, self.margin)
        if side > height or (not trusted and side < (1 + self.margin) * _LEAST_HEIGHT * height):
            side = min(height, width)
        centres = _inside(centres, side, width, height)
        return np.stack([square_map(centre, side, self.size) for centre in centres])


@dataclass(frozen=True)
class FixedBox:
    """A framing by one box, x0, y0, x1, y1, in pixels of a picture of ``picture`` (width, height), for all clips.

    A box that is not square is widened to one ("pad"; beyond the frame its edge goes on) or cut to its middle ("cut").
    Of pictures of another size the same part is taken. Without a box it is the whole picture.
    """

    size: int
    box: tuple[int, int, int, int] | None = None
    picture: tuple[int, int] | None = None
    square: Square = "pad"

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Give the one map (1, 2, 3)."""
        height, width = next(clip.frames()).shape[:2]
        x0, y0, x1, y1 = self.box or (0, 0, width, height)
        across, down = (width / self.picture[0], height / self.picture[1]) if self.picture else (1.0, 1.0)
        x0, x1, y0, y1 = x0 * across, x1 * across, y0 * down, y1 * down
        side = (max if self.square == "pad" else min)(x1 - x0, y1 - y0)
        return square_map(np.array([x0 + x1, y0 + y1]) / 2, side, self.size)[None]


def smooth_track(boxes: np.ndarray, fps: float, margin: float) -> tuple[np.ndarray, float]:
    """Centres (T, 2) and the side of the squares around someone whose boxes (T, 4) are NaN where nobody is seen.

    Raises ``DataError`` if nobody is seen at all.
    """
    known = np.isfinite(boxes).all(axis=1)
    if not known.any():
        raise DataError("nobody was found in it")
    places = np.arange(len(boxes))
    filled = np.stack([np.interp(places, places[known], column[known]) for column in boxes.T], axis=1)
    left, top, right, bottom = filled.T
    # A tenth of the frames may stick out: silhouettes have specks.
    highest, lowest = np.quantile(top, 0.05), np.quantile(bottom, 0.95)
    height, width = lowest - highest, np.quantile(right - left, 0.95)
    across = _path((left + right) / 2, fps)
    if np.ptp(across) < 0.5 * height:
        # Arms that come and go shift the middle of the box; someone on the spot is where the box mostly is.
        across = np.full(len(boxes), np.median((left + right) / 2))
        width = 2 * max(np.quantile(right, 0.95) - across[0], across[0] - np.quantile(left, 0.05))
    centres = np.stack([across, np.full(len(boxes), (highest + lowest) / 2)], axis=1)
    return centres, float((1 + margin) * max(height, width))


def _path(values: np.ndarray, fps: float) -> np.ndarray:
    """Values (T,) smoothed over about a second by parabolas, which lag behind nowhere, the ends included."""
    window = min(round(fps) | 1, len(values) - 1 + len(values) % 2)
    return savgol_filter(values, window, 2, mode="interp") if window > 3 else values


def _inside(centres: np.ndarray, side: float, width: int, height: int) -> np.ndarray:
    """Centres (T, 2) moved so that squares of ``side`` stay in the picture, or in its middle if they are too large."""
    limits = np.array([width, height], np.float64)
    low = np.minimum(side / 2, limits / 2)
    return np.clip(centres, low, limits - low)


def silhouette_boxes(masks: np.ndarray) -> np.ndarray:
    """Boxes (T, 4) of silhouettes (T, H, W), edges of pixels; NaN where there is none.

    >>> mask = np.zeros((1, 8, 8), bool)
    >>> mask[0, 2:4, 5] = True
    >>> silhouette_boxes(mask).tolist()
    [[5.0, 2.0, 6.0, 4.0]]
    """
    boxes = np.full((len(masks), 4), np.nan)
    for number, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            boxes[number] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


def moving_boxes(clip: RawClip) -> np.ndarray:
    """Boxes (T, 4) around what differs from the median of the frames; NaN where nothing does."""
    step = max(1, clip.record.num_frames // _SAMPLE)
    background = np.median([frame for number, frame in enumerate(clip.frames()) if number % step == 0], axis=0)
    return silhouette_boxes(np.stack(list(_differing(clip, background.astype(np.uint8)))))


def _differing(clip: RawClip, background: np.ndarray) -> Iterator[np.ndarray]:
    """The largest connected part of each frame that differs from the background, bool (H, W)."""
    speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    for frame in clip.frames():
        differs = (cv2.absdiff(frame, background).max(axis=2) > _DIFFERENCE).astype(np.uint8)
        opened = cv2.morphologyEx(differs, cv2.MORPH_OPEN, speck)
        joined = cv2.dilate(opened, speck, iterations=2)  # a head and legs whose trunk looks like the wall are one
        count, parts, facts, _ = cv2.connectedComponentsWithStats(joined)
        if count > 1:
            opened[parts != 1 + np.argmax(facts[1:, cv2.CC_STAT_AREA])] = 0
        yield opened.astype(bool)
