"""Driving videos in every form that a user has them in: files, bytes and frames, read one frame at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np
from mmengine.logging import print_log
from PIL import Image, ImageSequence, UnidentifiedImageError
from torch import Tensor

from i2vkit.apis.pictures import Picture, as_image
from i2vkit.errors import ConfigError, MediaError
from i2vkit.media import Sound, iterate_video, read_sound, video_facts
from i2vkit.media.files import local_path, naming, size_text
from i2vkit.media.frame_times import frames_at_rate
from i2vkit.media.sound import joined

Driving = str | Path | bytes | BinaryIO | Image.Image | Sequence[str | Path] | np.ndarray | Tensor | Iterable[Picture]

_JOINED_RATE = 48_000  # samples a second of the sounds of several files


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


def readable_again(driving: Driving) -> Driving:
    """Return a driving video that can be read several times: an open file is read into bytes."""
    if not hasattr(driving, "read"):
        return driving
    with naming(Path(str(getattr(driving, "name", "the driving video"))), "cannot be read"):
        data = driving.read()
    if not isinstance(data, bytes):
        raise MediaError("the driving video is a file that is open for text: open it in binary mode, open(name, 'rb')")
    return data


def driving_frames(driving: Driving) -> Iterator[np.ndarray]:
    """Yield the frames of a driving video in any of its forms, uint8 (H, W, 3), one at a time.

    Args:
        driving: A video, GIF, folder of images or image, or a list of them, which are played one after the other, each
            at its own speed: if their rates differ, frames of the slower ones are repeated. Or the bytes of such a
            file, an open file, or an animated Pillow image. Or frames as an array or tensor (T, ...), or an iterable
            of frames, each of which is a picture for ``as_image``.

    Raises:
        MediaError: The video has no frames, or a frame is no picture.
    """
    frames: Iterator[Any]
    if _in_files(driving):
        frames = _frames_of_files(driving)
    elif isinstance(driving, Image.Image):
        frames = (picture.copy() for picture in ImageSequence.Iterator(driving))
    elif isinstance(driving, Tensor | np.ndarray) and _is_one_image(driving):
        raise MediaError(f"a driving video is (frames, ...), and {tuple(driving.shape)} is one image")
    elif isinstance(driving, Tensor | Iterable):
        frames = iter(driving)
    else:
        raise MediaError(f"a driving video is a file, bytes or frames, not a {type(driving).__name__}")
    first = next(frames, None)
    if first is None:
        raise MediaError("the driving video has no frames")
    shape = None
    for number, frame in enumerate(map(as_image, chain([first], frames))):
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(
                f"frame {number} of the driving video is {size_text(frame.shape)}, but those before it are "
                f"{size_text(shape)}"
            )
        yield frame


def _is_one_image(driving: Tensor | np.ndarray) -> bool:
    """Return True for (H, W), and for (H, W, 3 or 4) and (3, H, W), which can hardly be grey videos (T, H, W)."""
    return driving.ndim < 3 or (driving.ndim == 3 and (driving.shape[-1] in (3, 4) or driving.shape[0] == 3))


def driving_fps(driving: Driving) -> float | None:
    """Return the frames a second at which ``driving_frames`` yields frames, or None if they are not known.

    Several files are played at the rate of the fastest.
    """
    if isinstance(driving, Image.Image):
        lasting = sum(_duration(picture) for picture in ImageSequence.Iterator(driving))
        return getattr(driving, "n_frames", 1) / lasting if lasting else None
    if not _in_files(driving):
        return None
    with _opened(driving) as files:
        return max((rate for rate in (video_facts(file).fps for file in files) if rate), default=None)


def driving_has_sound(driving: Any) -> bool:
    """Return True if a driving video is a file, or files, with a sound track."""
    if not _in_files(driving):
        return False
    with _opened(driving) as files:
        return any(video_facts(file).sound for file in files)


def driving_sound(driving: Any) -> Sound:
    """Return the sound of a driving video. Files without sound are silent.

    Raises:
        ConfigError: It has none.
        MediaError: A file cannot be read.
    """
    if not driving_has_sound(driving):
        raise ConfigError("there is no driving video with sound that could be kept: leave audio (--audio) away")
    rate = driving_fps(driving)
    with _opened(driving) as files:
        if len(files) == 1:
            sound = read_sound(files[0])
            assert sound is not None  # as ``driving_has_sound`` says
            return sound
        parts = []
        for file in files:
            facts = video_facts(file)
            sound = read_sound(file, _JOINED_RATE) if facts.sound else None
            silence = Sound(np.zeros((0, 2), np.float32), _JOINED_RATE)
            parts.append((sound or silence).lasting(facts.num_frames / (facts.fps or rate or 25.0)))
    return joined(parts)


def _frames_of_files(driving: Driving) -> Iterator[np.ndarray]:
    """Yield the frames of all files of a driving video, at the rate of the fastest."""
    with _opened(driving) as files:
        facts = {file: video_facts(file) for file in files}
        rates = {found.fps for found in facts.values() if found.fps}
        for file in files:
            found = facts[file]
            if found.end is not None:
                print_log(
                    f"the frame rate of {file} varies: its {found.num_stored} frames are shown as {found.num_frames} "
                    f"at {found.fps:g} a second",
                    "current",
                )
            if found.fps is None or len(rates) == 1:
                yield from iterate_video(file)
                continue
            own, common = found.fps, max(rates)
            if own != common:
                print_log(f"{file} has {own:g} frames a second: they are repeated for {common:g}", "current")
            timed = ((number / own, frame) for number, frame in enumerate(iterate_video(file)))
            yield from frames_at_rate(timed, common, found.num_frames / own)


@contextmanager
def _opened(driving: Driving) -> Iterator[list[Path]]:
    """Yield the files of a driving video. Bytes are in a temporary one, because the readers need a file."""
    if isinstance(driving, str | Path):
        yield [local_path(driving)]
    elif isinstance(driving, list | tuple):
        yield [local_path(part) for part in driving]
    else:
        data = bytes(driving) if isinstance(driving, bytes | bytearray) else driving.read()  # type: ignore[union-attr]
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"driving{_suffix(data)}"
            path.write_bytes(data)
            yield [path]


def _suffix(data: bytes) -> str:
    """Return the suffix of an image file, which Pillow tells, or that of a video."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return f".{(image.format or 'png').lower()}"
    except UnidentifiedImageError:
        return ".mp4"  # FFmpeg looks at the bytes, whatever the suffix


def _duration(picture: Image.Image) -> float:
    """Return the seconds for which a picture is shown, which some formats tell when it is decoded."""
    picture.load()
    return float(picture.info.get("duration") or 0) / 1000


def _in_files(driving: Any) -> bool:
    """Return True if a driving video is given as files or bytes, and False if it is given as frames."""
    if isinstance(driving, list | tuple):
        return bool(driving) and all(isinstance(part, str | Path) for part in driving)
    return isinstance(driving, str | Path | bytes | bytearray) or hasattr(driving, "read")


def driving_files(driving: Any) -> list[Path]:
    """Return the files that a driving video is read from. The list is empty if it is given in memory."""
    if isinstance(driving, bytes | bytearray) or hasattr(driving, "read") or not _in_files(driving):
        return []
    with _opened(driving) as files:
        return files
