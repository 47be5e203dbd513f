"""Cropping of whole people: squares that follow them smoothly, or stand still if the person stays in place."""

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

# Pixels that differ more than this from the background, of a channel's 256 values, belong to the person.
_DIFFERENCE = 30
# The median background of a long clip uses at least this many frames, and fewer than twice as many.
_SAMPLE = 40
# A person lower than this share of the picture's height is only a part that moved.
_LEAST_HEIGHT = 0.35


@dataclass(frozen=True)
class PersonCrop:
    """A framing by squares of one size for each clip, with the person in the middle.

    If the person crosses the picture the square follows along a smooth path, otherwise it stands still. It does not
    leave the picture. Clips may have ``metadata["boxes"]``. Without boxes the person is the part that differs from the
    median of the frames. For a person who stays in place that finds the moving parts only. If these take up less than
    0.35 of the picture's height, the square is as large as the picture allows.

    Args:
        size: The side of the prepared frames in pixels.
        margin: The share by which the square is larger than the person's height, or width if that is more.
    """

    size: int
    margin: float = 0.25

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the transforms (T, 2, 3). Raise ``DataError`` if nobody is found."""
        boxes = points_of(clip.record, "boxes")
        height, width = next(clip.frames()).shape[:2]
        trusted = boxes is not None
        track = moving_boxes(clip) if boxes is None else boxes
        centres, side = smooth_track(track, clip.record.fps, self.margin)
        if side > height or (not trusted and side < (1 + self.margin) * _LEAST_HEIGHT * height):
            side = min(height, width)
        centres = _inside(centres, side, width, height)
        return np.stack([square_map(centre, side, self.size) for centre in centres])


@dataclass(frozen=True)
class FixedBox:
    """A framing by the same box for all clips.

    Args:
        size: The side of the prepared frames in pixels.
        box: x0, y0, x1, y1 in pixels. By default the whole picture.
        picture: The size (width, height) of the picture that ``box`` refers to. For pictures of another size the box is
            scaled.
        square: The treatment of a box that is not square. "pad" widens it and repeats the edge of the frame beyond the
            frame. "cut" cuts it to its middle.
    """

    size: int
    box: tuple[int, int, int, int] | None = None
    picture: tuple[int, int] | None = None
    square: Square = "pad"

    def __call__(self, clip: RawClip) -> np.ndarray:
        """Return the single transform (1, 2, 3)."""
        height, width = next(clip.frames()).shape[:2]
        x0, y0, x1, y1 = map(float, self.box or (0, 0, width, height))
        across, down = (width / self.picture[0], height / self.picture[1]) if self.picture else (1.0, 1.0)
        # The box is given for pictures of one size and scaled to that of the clip.
        x0, x1, y0, y1 = x0 * across, x1 * across, y0 * down, y1 * down
        side = (max if self.square == "pad" else min)(x1 - x0, y1 - y0)
        return square_map(np.array([x0 + x1, y0 + y1]) / 2, side, self.size)[None]


def smooth_track(boxes: np.ndarray, fps: float, margin: float) -> tuple[np.ndarray, float]:
    """Return the centres (T, 2) and the side of squares around a person.

    Args:
        boxes: The boxes (T, 4) of the person, NaN on frames where nobody is seen.
        fps: Frames per second.
        margin: The share that is added to the side.

    Raises:
        DataError: Nobody is seen on any frame.
    """
    known = np.isfinite(boxes).all(axis=1)
    if not known.any():
        raise DataError("nobody was found in it")
    places = np.arange(len(boxes))
    # Frames without a box are interpolated: (T, 4).
    filled = np.stack([np.interp(places, places[known], column[known]) for column in boxes.T], axis=1)
    left, top, right, bottom = filled.T
    # Silhouettes have specks, so a tenth of the frames may exceed the square.
    highest, lowest = np.quantile(top, 0.05), np.quantile(bottom, 0.95)
    height, width = lowest - highest, np.quantile(right - left, 0.95)
    across = _path((left + right) / 2, fps)
    if np.ptp(across) < 0.5 * height:
        # The person stays in place. Arms that are raised now and then shift the middle of the box, hence the median.
        across = np.full(len(boxes), np.median((left + right) / 2))
        width = 2 * max(np.quantile(right, 0.95) - across[0], across[0] - np.quantile(left, 0.05))
    centres = np.stack([across, np.full(len(boxes), (highest + lowest) / 2)], axis=1)
    return centres, float((1 + margin) * max(height, width))


def _path(values: np.ndarray, fps: float) -> np.ndarray:
    """Smooth values (T,) over about a second by fitting parabolas, which do not lag behind, not even at the ends."""
    # ``savgol_filter`` needs an odd window that is not longer than the clip.
    window = min(round(fps) | 1, len(values) - 1 + len(values) % 2)
    return savgol_filter(values, window, 2, mode="interp") if window > 3 else values


def _inside(centres: np.ndarray, side: float, width: int, height: int) -> np.ndarray:
    """Move centres (T, 2) so that squares of ``side`` stay in the picture, or to its middle if they are too large."""
    # If the square is larger than the picture, both limits are the middle.
    limits = np.array([width, height], np.float64)
    low = np.minimum(side / 2, limits / 2)
    return np.clip(centres, low, limits - low)


def silhouette_boxes(masks: np.ndarray) -> np.ndarray:
    """Return the boxes (T, 4) of silhouettes (T, H, W), by the edges of pixels; NaN for an empty silhouette.

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
    """Return boxes (T, 4) around the pixels that differ from the median of the frames; NaN where none does."""
    # A sample of the frames is enough for the median and saves memory.
    step = max(1, clip.record.num_frames // _SAMPLE)
    background = np.median([frame for number, frame in enumerate(clip.frames()) if number % step == 0], axis=0)
    return silhouette_boxes(np.stack(list(_differing(clip, background.astype(np.uint8)))))


def _differing(clip: RawClip, background: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the largest connected part of each frame that differs from the background, bool (H, W)."""
    speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    for frame in clip.frames():
        differs = (cv2.absdiff(frame, background).max(axis=2) > _DIFFERENCE).astype(np.uint8)
        opened = cv2.morphologyEx(differs, cv2.MORPH_OPEN, speck)
        joined = cv2.dilate(opened, speck, iterations=2)  # joins head and legs if the trunk looks like the wall
        count, parts, facts, _ = cv2.connectedComponentsWithStats(joined)
        if count > 1:
            # Label 0 is the background, so parts count from 1.
            opened[parts != 1 + np.argmax(facts[1:, cv2.CC_STAT_AREA])] = 0
        yield opened.astype(bool)
