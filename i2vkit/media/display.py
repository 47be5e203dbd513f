"""Pictures as they are meant to be seen: square pixels, upright, opaque, in sRGB or the RGB of the video.

Stills, animations and videos follow the same rules, which are those of FFmpeg and of browsers.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
from PIL import Image, ImageCms

from i2vkit.media.notices import warn_once

# Pixels that are said to be this many times as wide as high, or less, are a mistake of the file.
_ASPECTS = (1 / 8, 8.0)
_SMALLEST_STRETCH = 0.005  # of a side, below which pixels count as square
# Transfer functions of HDR: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67), by their numbers in H.273.
_HDR = (16, 18)


def over_black(rgba: np.ndarray, path: Path) -> np.ndarray:
    """Return a picture (H, W, 3) of a transparent one, uint8 (H, W, 4), laid over black. Warn once in a process."""
    colour, alpha = rgba[..., :3], rgba[..., 3:]
    if alpha.min(initial=255) == 255:
        return colour.copy()
    warn_once("alpha", f"{path} is transparent in part: such images are laid over black")
    return (colour * (alpha / 255)).round().astype(np.uint8)


def square_pixels(picture: np.ndarray, aspect: float | None, path: Path) -> np.ndarray:
    """Return a picture, uint8 (H, W, 3), whose pixels are square: it is scaled to another width if they are not.

    Args:
        picture: uint8 (H, W, 3).
        aspect: The width of a pixel divided by its height, or None if the file does not say.
        path: The file, for messages.
    """
    if aspect is None or abs(aspect - 1) < _SMALLEST_STRETCH:
        return picture
    if not _ASPECTS[0] <= aspect <= _ASPECTS[1]:
        warn_once("aspect", f"{path} states pixels {aspect:.3g} times as wide as high: they are taken to be square")
        return picture
    height, width = picture.shape[:2]
    size = max(1, round(width * aspect)), height
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def still_aspect(image: Image.Image) -> float | None:
    """Return the width of the pixels of an opened image divided by their height, or None if the file does not say."""
    across, down = image.info.get("aspect") or image.info.get("dpi") or (0, 0)
    if image.info.get("jfif_unit") == 0:  # a ratio, and no resolution
        across, down = image.info.get("jfif_density", (0, 0))
    if not (across and down):
        return None
    aspect = float(down) / float(across)  # many dots an inch are narrow ones
    return aspect if abs(aspect - 1) >= 2 * _SMALLEST_STRETCH else None


def to_srgb(image: Image.Image, path: Path) -> Image.Image:
    """Return an image whose colours are those of sRGB, as its colour profile says, if it has one."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    try:
        transform = _transform(profile, image.mode)
        return image if transform is None else ImageCms.applyTransform(image, transform) or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        warn_once("profile", f"{path}: its colour profile cannot be used ({error}); its colours are taken for sRGB")
        return image


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """Return the transform from a profile to sRGB, or None if it is sRGB or of another kind of image."""
    found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if found.profile.xcolor_space.strip() != mode.rstrip("A"):
        return None
    if "srgb" in (found.profile.profile_description or "").lower():
        return None
    out = "RGB" if mode == "CMYK" else mode
    return ImageCms.buildTransform(found, ImageCms.createProfile("sRGB"), mode, out)


class DisplayedFrames:
    """A converter of decoded frames of a video to pictures uint8 (H, W, 3) RGB as players show them.

    Colour matrix and range are those of the stream. Pixels become square, frames upright, transparent ones are laid
    over black, and the two fields of interlaced ones become one picture.

    Args:
        path: The file, for messages.
        aspect: The width of its pixels divided by their height, or None.
    """

    def __init__(self, path: Path, aspect: Fraction | None):
        self.path, self.aspect = path, None if not aspect else float(aspect)
        self._deinterlacer: av.filter.Graph | None = None

    def add(self, frame: av.VideoFrame | None) -> Iterator[tuple[float | None, np.ndarray]]:
        """Yield the pictures that are complete with one more decoded frame, or, with None, those still to come.

        Yields:
            The time in seconds, or None if the file does not tell it, and the picture.
        """
        if frame is not None and self._deinterlacer is None and frame.interlaced_frame:
            self._deinterlacer = _deinterlacer(frame)
        if self._deinterlacer is None:
            if frame is not None:
                yield frame.time, self._picture(frame)
            return
        self._deinterlacer.push(frame)
        while True:
            try:
                made = self._deinterlacer.pull()
            except (av.BlockingIOError, EOFError):  # it waits for the next frame, or is done
                return
            assert isinstance(made, av.VideoFrame)  # a filter of videos
            yield made.time, self._picture(made)

    def _picture(self, frame: av.VideoFrame) -> np.ndarray:
        if frame.color_trc in _HDR:
            warn_once("hdr", f"{self.path} is an HDR video: its colours are read without tone mapping, and look pale")
        if any(component.is_alpha for component in frame.format.components):
            picture = over_black(_converted(frame, "rgba"), self.path)
        else:
            picture = _converted(frame, "rgb24")
        # The aspect is that of the pixels as stored, so it comes before turning.
        return np.ascontiguousarray(_upright(square_pixels(picture, self.aspect, self.path), frame, self.path))


def _converted(frame: av.VideoFrame, pixel_format: str) -> np.ndarray:
    """Return the pixels of a frame in a format, computed in this thread.

    By default the converter has threads, and a frame keeps its converter. A data loader forks workers without these
    threads, so a worker that discards such a frame would wait for them for ever.
    """
    return frame.reformat(format=pixel_format, threads=1).to_ndarray()


def _deinterlacer(frame: av.VideoFrame) -> av.filter.Graph:
    """Return a filter that makes one picture of the two fields of each interlaced frame, and keeps the others."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(bwdif)
    bwdif.link_to(sink)
    graph.configure()
    return graph


def _upright(picture: np.ndarray, frame: av.VideoFrame, path: Path) -> np.ndarray:
    """Return a picture turned and mirrored as the display matrix of its frame says.

    A phone that is held upright stores its frames sideways, and a front camera may store them mirrored.
    """
    data: Any = frame.side_data.get("DISPLAYMATRIX")  # an iteration gives keys from PyAV 19 on, values before
    if data is None:
        return picture
    # A point (x, y) of the stored frame is shown at (a x + c y, b x + d y).
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    if min(abs(a), abs(b)) > 0.02 * max(abs(a), abs(b)):
        warn_once("rotation", f"{path} is turned by an angle that is no quarter turn: it is turned by the nearest")
    if abs(a) >= abs(b):
        across, down = a, d
    else:
        picture, across, down = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]
