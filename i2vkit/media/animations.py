"""Pictures of image files and the times at which they are shown: stills, GIF, and animated PNG, WebP and AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from i2vkit.errors import MediaError
from i2vkit.media.images import open_image, to_rgb

# Image formats in which further pictures are frames. A phone's JPEG (MPO) or a TIFF may hold several pictures too, but
# there they are a second view or a thumbnail.
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")


def durations(path: Path) -> list[float]:
    """Return the seconds for which each picture of an image file is shown, 0 where the file does not say.

    A still has one picture. The name of the file does not matter, its content does.

    Raises:
        MediaError: The file is cut.
    """
    with open_image(path) as image:
        return [_duration(picture) for picture in _pictures(image, path)]


def timed_pictures(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Yield the pictures of an image file, uint8 (H, W, 3) RGB, each with the time in seconds at which it appears."""
    start = 0.0
    with open_image(path) as image:
        for picture in _pictures(image, path):
            yield start, to_rgb(picture, path)
            start += _duration(picture)


def _duration(picture: Image.Image) -> float:
    return float(picture.info.get("duration") or 0) / 1000


def _pictures(image: Image.Image, path: Path) -> Iterator[Image.Image]:
    """Yield the pictures that are shown: all frames of an animated format, else the first picture only."""
    if image.format not in _ANIMATED_FORMATS:
        yield image
        return
    _check_end(image, path)
    # An animated PNG may begin with a picture for programs that show stills only.
    hidden = 1 if getattr(image, "default_image", False) and getattr(image, "n_frames", 1) > 1 else 0
    for number, picture in enumerate(ImageSequence.Iterator(image)):
        if number >= hidden:
            picture.load()  # some formats tell the duration of a frame when it is decoded
            yield picture


def _check_end(image: Image.Image, path: Path) -> None:
    """Raise ``MediaError`` if a GIF or WebP ends before its end, which Pillow takes for the end of the animation."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, size - 1024))
        tail = file.read()
    if image.format == "GIF" and b";" not in tail:
        raise MediaError(f"{path} is cut: it ends without the mark of a GIF's end")
    if image.format == "WEBP" and int.from_bytes(head[4:8], "little") + 8 > size:
        raise MediaError(f"{path} is cut: it has {size} bytes, fewer than its header states")
