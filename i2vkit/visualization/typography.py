"""Small text on images: the typeface, its colours and its measures."""

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
    """Return the typeface that Pillow brings along, in a size."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as Pillow returns it for a size
    return font


def blank(height: int, width: int) -> np.ndarray:
    """Return an empty page: white, uint8 (height, width, 3)."""
    return np.full((height, width, 3), PAPER, dtype=np.uint8)


def shorten(text: str, width: int, size: int = TEXT_SIZE) -> str:
    """Return ``text``, with an ellipsis in its middle if it is wider than ``width`` pixels.

    Examples:
        >>> from i2vkit.visualization.typography import shorten
        >>> shorten("driving", 200)
        'driving'
        >>> shorten("P001/Happiness/VL_Strong", 100)
        'P001/H…Strong'
    """
    if _font(size).getlength(text) <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        short = text[: (length + 1) // 2] + "…" + text[len(text) - length // 2 :]
        if _font(size).getlength(short) <= width:
            return short
    return ""


def text_width(text: str, size: int = TEXT_SIZE) -> int:
    """Return the width of ``text`` in pixels, rounded up."""
    return int(np.ceil(_font(size).getlength(text)))


def text_box(
    text: str, height: int, width: int, align: str = "left", size: int = TEXT_SIZE, colour: tuple = INK
) -> np.ndarray:
    """Return one line of text on an empty page, centred vertically: uint8 (height, width, 3).

    ``align`` is "left", "center" or "right". Text that does not fit is shortened.
    """
    image = Image.fromarray(blank(height, width))
    x, anchor = {"left": (0, "lm"), "center": (width / 2, "mm"), "right": (width, "rm")}[align]
    ImageDraw.Draw(image).text(
        (x, height / 2), shorten(text, width, size), fill=colour, font=_font(size), anchor=anchor
    )
    return np.asarray(image)


def fit(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return ``image`` (H, W, 3) uint8, resized (bicubic, with anti-aliasing) to (height, width, 3)."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def widen(picture: np.ndarray, width: int) -> np.ndarray:
    """Return ``picture`` (H, W, 3), filled up with white on its right to the width ``width``."""
    return np.concatenate([picture, blank(len(picture), width - picture.shape[1])], axis=1)
