"""Driving videos in every form that a user has them in: files, bytes and frames, read one frame at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from i2vkit.apis.pictures import Picture, as_image
from i2vkit.errors import MediaError
from i2vkit.media import iterate_video, video_fps

Driving = str | Path | bytes | BinaryIO | Sequence[str | Path] | np.ndarray | Tensor | Iterable[Picture]


def chunked(frames: Iterable[np.ndarray], size: int | None) -> Iterator[list[np.ndarray]]:
    """Yield lists of ``size`` frames, the last one shorter, or one list of all if ``size`` is None.

    Examples:
        >>> from i2vkit.apis.driving import chunked
        >>> list(chunked("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    frames = iter(frames)
    while part := list(islice(frames, size)):
        yield part


def driving_frames(driving: Driving) -> Iterator[np.ndarray]:
    """Yield the frames of a driving video in any of its forms, uint8 (H, W, 3), one at a time.

    Args:
        driving: A video, GIF, folder of images or image, or a list of them, which are played one after the other. Or
            the bytes of such a file, or an open file. Or frames as an array or tensor (T, ...), or an iterable of
            frames, each of which is a picture for ``as_image``.

    Raises:
        MediaError: The video has no frames, or a frame is no picture.
    """
    files = _files(driving)
    frames: Iterator[Any]
    if files:
        frames = chain.from_iterable(map(iterate_video, files))
    elif isinstance(driving, bytes | bytearray) or hasattr(driving, "read"):
        frames = _decoded(bytes(driving) if isinstance(driving, bytes | bytearray) else driving.read())
    elif isinstance(driving, Tensor | Iterable):
        frames = iter(driving)
    else:
        raise MediaError(f"a driving video is a file, bytes or frames, not a {type(driving).__name__}")
    first = next(frames, None)
    if first is None:
        raise MediaError("the driving video has no frames")
    yield from map(as_image, chain([first], frames))


def driving_fps(driving: Driving) -> float | None:
    """Return the frames a second of the first driving file, or None if they are not known."""
    files = _files(driving)
    return video_fps(files[0]) if files else None


def _decoded(data: bytes) -> Iterator[np.ndarray]:
    """Yield the frames of a file that is given as bytes.

    The readers need a file. Pillow tells its suffix if it can.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            suffix = f".{(image.format or 'png').lower()}"
    except UnidentifiedImageError:
        suffix = ".mp4"  # FFmpeg looks at the bytes, whatever the suffix
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"driving{suffix}"
        path.write_bytes(data)
        yield from iterate_video(path)


def _files(driving: Driving) -> list[Path]:
    """Return the files of a driving video. The list is empty if it is given as frames."""
    if isinstance(driving, str | Path):
        return [Path(driving)]
    if isinstance(driving, list | tuple) and all(isinstance(part, str | Path) for part in driving):
        return [Path(part) for part in driving]
    return []
