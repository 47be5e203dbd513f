"""Drawing of points, skeletons and boxes onto frames, and colour pictures of condition maps."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Colour = tuple[int, int, int]

# Left and right have different colours, so that you see when a mirrored clip did not swap its points.
LEFT, RIGHT, MIDDLE = (255, 140, 0), (0, 170, 255), (245, 245, 245)
BOX = (60, 220, 60)
IMAGE = (220, 0, 110)  # around the image that is animated
SHADE = (0, 0, 0)

# Penn Action's 13 joints: head, then left and right shoulder, elbow, wrist, hip, knee, ankle.
_LEFT_BONES = ((1, 3), (3, 5), (1, 7), (7, 9), (9, 11))
BONES: tuple[tuple[int, int, Colour], ...] = (
    *((a, b, LEFT) for a, b in _LEFT_BONES),
    *((a + 1, b + 1, RIGHT) for a, b in _LEFT_BONES),
    *((a, b, MIDDLE) for a, b in ((0, 1), (0, 2), (1, 2), (7, 8))),
)

# One colour for each condition map, in order. With more maps the colours repeat.
MAP_COLOURS: tuple[Colour, ...] = (
    (230, 60, 60), (60, 180, 75), (60, 110, 240), (255, 225, 25), (200, 60, 230), (70, 220, 230), (245, 130, 50),
    (190, 240, 80), (250, 170, 200), (0, 128, 128), (160, 110, 50), (255, 255, 255),
)  # fmt: skip

_SHIFT = 4  # OpenCV takes coordinates in sixteenths of a pixel


def enlarge(frame: np.ndarray, factor: int) -> np.ndarray:
    """Repeat every pixel of ``frame`` (H, W, 3) ``factor`` times in both directions, without smoothing."""
    return np.repeat(np.repeat(frame, factor, axis=0), factor, axis=1)  # (H * factor, W * factor, 3)


def draw_points(picture: np.ndarray, points: np.ndarray, factor: int, mirror: Sequence[int] | None = None) -> None:
    """Draw points as dots onto ``picture``, in place.

    Args:
        picture: An enlarged frame, uint8 (H * factor, W * factor, 3).
        points: (N, 2), x and y in pixels of the frame; whole numbers are centres of pixels. NaN are left out.
        factor: The enlargement of the frame, 2 or more.
        mirror: For each point, the index of its mirror partner. It gives left, right and middle points their colours.
            Without it all points count as middle.
    """
    for index, place in enumerate(_places(points, factor)):
        other = index if mirror is None else mirror[index]
        if place is not None:
            colour = LEFT if index < other else RIGHT if index > other else MIDDLE
            cv2.circle(picture, _fixed_point(place), _fixed(0.5 * factor), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def draw_skeleton(picture: np.ndarray, joints: np.ndarray, factor: int) -> None:
    """Draw the bones between 13 joints (13, 2) onto ``picture``, in place. Other numbers of joints become dots.

    Left bones are orange, right ones blue. A bone with an unknown end (NaN) is left out. The arguments are those of
    ``draw_points``.
    """
    if len(joints) != 13:
        draw_points(picture, joints, factor)
        return
    places = _places(joints, factor)
    for a, b, colour in BONES:
        start, stop = places[a], places[b]
        if start is not None and stop is not None:
            for shade, width in ((SHADE, factor + 2), (colour, factor)):
                cv2.line(picture, _fixed_point(start), _fixed_point(stop), shade, width, cv2.LINE_AA, _SHIFT)
    if (head := places[0]) is not None:
        for shade, radius in ((SHADE, 1.75 * factor), (MIDDLE, 1.25 * factor)):
            cv2.circle(picture, _fixed_point(head), _fixed(radius), shade, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def draw_box(picture: np.ndarray, box: np.ndarray, factor: int, colour: Colour = BOX) -> None:
    """Draw a box (4,) onto ``picture``, in place. A box with NaN is left out.

    The box is x0, y0, x1, y1, as edges of the frame's pixels, and is drawn onto the outermost pixels inside it.
    """
    if np.isfinite(box).all():
        x0, y0, x1, y1 = np.round(np.asarray(box) * factor).astype(int).tolist()
        cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), colour)


def framed(picture: np.ndarray, colour: Colour = IMAGE, width: int = 3) -> np.ndarray:
    """Return ``picture`` (H, W, 3) with a border of ``colour``, ``width`` pixels wide."""
    height, length = picture.shape[:2]
    result = np.full((height + 2 * width, length + 2 * width, 3), colour, np.uint8)
    result[width:-width, width:-width] = picture
    return result


def colour_maps(maps: np.ndarray) -> np.ndarray:
    """Return condition maps (M, H, W), uint8, as one colour picture, uint8 (H, W, 3).

    Three maps are a normal map and become the channels of the picture. One map becomes grey. Otherwise each map has a
    colour of ``MAP_COLOURS`` on black, and the brightest map of a pixel wins in each channel.
    """
    if len(maps) == 3:
        return np.ascontiguousarray(maps.transpose(1, 2, 0))  # (3, H, W) -> (H, W, 3)
    colours = np.array([MAP_COLOURS[index % len(MAP_COLOURS)] for index in range(len(maps))])
    if len(maps) == 1:
        colours[:] = 255
    lit = (maps / 255.0)[..., None] * colours[:, None, None]  # (M, H, W, 1) * (M, 1, 1, 3) -> (M, H, W, 3)
    return lit.max(axis=0).round().astype(np.uint8)


def _places(points: np.ndarray, factor: int) -> list[np.ndarray | None]:
    """Convert points of a frame to positions in the enlarged picture; unknown points become None."""
    places = (np.asarray(points, dtype=float) + 0.5) * factor - 0.5
    return [place if np.isfinite(place).all() else None for place in places]


def _fixed(length: float) -> int:
    """Convert a length to the fixed-point integer that OpenCV takes."""
    # OpenCV would overflow far outside the picture, where nothing is visible anyway.
    return int(np.clip(np.round(length * 2**_SHIFT), -(2**18), 2**18))


def _fixed_point(place: np.ndarray) -> tuple[int, int]:
    """Convert a position (2,) to the fixed-point integers that OpenCV takes."""
    x, y = place.tolist()
    return _fixed(x), _fixed(y)
