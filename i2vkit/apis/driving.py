"""What drives an animation: files and frames in any of their forms, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np

from i2vkit.errors import MediaError
from i2vkit.media import iterate_video, read_image, video_fps

Driving = str | Path | Sequence[str | Path] | np.ndarray | Iterable[np.ndarray]


def chunked(frames: Iterable[np.ndarray], size: int | None) -> Iterator[list[np.ndarray]]:
    """Lists of ``size`` frames, the last one shorter; one list of all where ``size`` is None.

    Examples:
        >>> from i2vkit.apis.driving import chunked
        >>> list(chunked("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    frames = iter(frames)
    while part := list(islice(frames, size)):
        yield part


def as_image(image: str | Path | np.ndarray) -> np.ndarray:
    """An image as (H, W, 3) uint8, read if it is a path."""
    image = read_image(image) if isinstance(image, str | Path) else image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise MediaError(f"an image is uint8 (height, width, 3), got {image.dtype} {image.shape}")
    return image


def driving_frames(driving: Driving) -> Iterator[np.ndarray]:
    """The frames of a driving video in any of its forms, one at a time.

    Raises:
        MediaError: none at all, or frames that are none.
    """
    files = _files(driving)
    frames = chain.from_iterable(map(iterate_video, files)) if files else iter(driving)
    first = next(frames, None)
    if first is None:
        raise MediaError("the driving video has no frames")
    yield from map(as_image, chain([first], frames))


def driving_fps(driving: Driving) -> float | None:
    """Frames a second of the first driving file; None where nothing says."""
    files = _files(driving)
    return video_fps(files[0]) if files else None


def _files(driving: Driving) -> list[Path]:
    """The files of a driving video; none where it is given as frames."""
    if isinstance(driving, str | Path):
        return [Path(driving)]
    if isinstance(driving, list | tuple) and all(isinstance(part, str | Path) for part in driving):
        return [Path(part) for part in driving]
    return []
