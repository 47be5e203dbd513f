"""Small text on images: the one typeface, its colours and its measures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER = (255, 255, 255)
INK = (38, 38, 38)
FAINT = (128, 128, 128)
TEXT_SIZE = 13


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def blank(height: int, width: int) -> np.ndarray:
    """An empty page: uint8 (height, width, 3)."""
    return np.full((height, width, 3), PAPER, dtype=np.uint8)


def shorten(text: str, width: int, size: int = TEXT_SIZE) -> str:
    """``text``, with an ellipsis in its middle where it is wider than ``width`` pixels.

    Examples:
        >>> from i2vkit.visualization.typography import shorten
        >>> shorten("driving", 200)
        'driving'
        >>> shorten("P001/Happiness/VL_Strong", 100)
        'P001/H…Strong'
    """
    if _font(size).getlength(text) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        short = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if _font(size).getlength(short) <= width:
            return short
    return ""


def text_width(text: str, size: int = TEXT_SIZE) -> int:
    """How many pixels wide ``text`` is."""
    return int(np.ceil(_font(size).getlength(text)))


def text_box(
    text: str, height: int, width: int, align: str = "left", size: int = TEXT_SIZE, colour: tuple = INK
) -> np.ndarray:
    """One line of text, centred vertically, on an empty page: uint8 (height, width, 3).

    ``align`` is "left", "center" or "right"; what does not fit is shortened.
    """
    image = Image.fromarray(blank(height, width))
    x, anchor = {"left": (0, "lm"), "center": (width / 2, "mm"), "right": (width, "rm")}[align]
    ImageDraw.Draw(image).text(
        (x, height / 2), shorten(text, width, size), fill=colour, font=_font(size), anchor=anchor
    )
    return np.asarray(image)


def fit(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """``image`` (H, W, 3) uint8, resized (bicubic, with anti-aliasing) to (height, width, 3)."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def widen(picture: np.ndarray, width: int) -> np.ndarray:
    """``picture`` (H, W, 3) with white on its right up to ``width``."""
    return np.concatenate([picture, blank(len(picture), width - picture.shape[1])], axis=1)
