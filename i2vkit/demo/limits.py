"""Limits of the web demo, and checks of the files that users drop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, UnidentifiedImageError

from i2vkit.apis.pictures import as_image
from i2vkit.errors import ConfigError, MediaError
from i2vkit.media import VIDEO_SUFFIXES, video_facts

MOST_SAMPLES = 6
_MEGA = 10**6


@dataclass(frozen=True)
class Limits:
    """The largest inputs that the demo takes.

    Args:
        megabytes: Size of a file. Default 50.
        frames: Frames of a driving clip. Default 300.
        megapixels: Pixels of an image, or of a frame, in millions. Default 25.
    """

    megabytes: int = 50
    frames: int = 300
    megapixels: int = 25


def checked_image(path: Path | None, limits: Limits) -> np.ndarray:
    """Return the image of a file as uint8 (H, W, 3).

    Raises:
        ConfigError: There is none.
        MediaError: It is too large, or no image. The message has its name and not its folder.
    """
    if path is None:
        raise ConfigError("there is no image yet: drop one, or take one of the examples")
    _check_size(path, limits)
    try:
        with Image.open(path) as opened:
            _check_pixels(path, *opened.size, limits)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError(f"{path.name} is no image that can be read: take a PNG, JPEG or WebP") from error
    try:
        return as_image(path)
    except MediaError as error:
        raise MediaError(_without_folder(error, path)) from error


def checked_clip(path: Path | None, limits: Limits) -> int:
    """Return the number of frames of a driving clip.

    Raises:
        ConfigError: There is none.
        MediaError: It is too large or too long, or no video. The message has its name and not its folder.
    """
    if path is None:
        raise ConfigError("there is no driving clip yet: drop one, or take one of the examples")
    _check_size(path, limits)
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise MediaError(f"{path.name} is no video: take one of {', '.join(VIDEO_SUFFIXES)}")
    try:
        facts = video_facts(path)
        with av.open(str(path)) as container:
            for stream in container.streams.video[:1]:
                _check_pixels(path, stream.width, stream.height, limits)
    except MediaError as error:
        raise MediaError(_without_folder(error, path)) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path.name} is no video that can be read") from error
    if facts.num_frames > limits.frames:
        raise MediaError(
            f"{path.name} has {facts.num_frames} frames, and this page takes {limits.frames}: cut it to its first "
            f"{limits.frames / (facts.fps or 25):.0f} seconds"
        )
    return facts.num_frames


def message_without_folders(error: Exception, *paths: Path | None) -> str:
    """Return the message of an error with the names of files in place of their paths on the server."""
    text = str(error)
    for path in paths:
        text = text if path is None else text.replace(str(path), path.name)
    return text


def _without_folder(error: Exception, path: Path) -> str:
    return message_without_folders(error, path)


def _check_size(path: Path, limits: Limits) -> None:
    size = path.stat().st_size
    if size > limits.megabytes * _MEGA:
        raise MediaError(f"{path.name} has {size / _MEGA:.0f} MB, and this page takes {limits.megabytes} MB")


def _check_pixels(path: Path, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.megapixels * _MEGA:
        raise MediaError(
            f"{path.name} is {width}x{height}, and this page takes {limits.megapixels} million pixels: make it smaller"
        )
