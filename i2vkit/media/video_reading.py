"""Reading of videos, GIFs and folders of images.

Videos are always read from the first frame on, because seeking by frame number is not exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from i2vkit.errors import MediaError
from i2vkit.media.animations import timed_pictures
from i2vkit.media.display import DisplayedFrames
from i2vkit.media.files import as_path, naming, size_text
from i2vkit.media.frame_times import frames_at_rate
from i2vkit.media.images import image_paths, read_image
from i2vkit.media.notices import warn_once
from i2vkit.media.video_facts import MISSING_SHARE, cut_error, read_by_pillow, video_facts

Timed = tuple[float, np.ndarray]


def iterate_video(path: str | Path, *, as_stored: bool = False) -> Iterator[np.ndarray]:
    """Yield the frames of a video, an animation, a folder of images (sorted by name) or one image.

    Frames are seen as in a player: colours by the matrix and range of the file, square pixels, upright, opaque, without
    the lines of interlacing, and without the frames that an edit list hides. They follow each other at
    ``video_fps(path)``. If the rate of the file varies, long frames are repeated for that.

    Args:
        path: The file or the folder.
        as_stored: Yield each stored frame once even if the rate varies, for files with annotations by frame. Default
            False.

    Yields:
        Frames uint8 (H, W, 3) RGB.

    Raises:
        MediaError: The file does not exist or holds no frames. A cut or damaged file yields its readable frames first.
            The message then says how many there were.
    """
    path = as_path(path)
    count, shape = 0, None
    with naming(path, "cannot be read after 0 frames"):
        frames = _open_frames(path, as_stored)
    while True:
        with naming(path, f"cannot be read after {count} frames"):
            frame = next(frames, None)
        if frame is None:
            break
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(
                f"{path}: frame {count} is {size_text(frame.shape)}, but the frames before it are {size_text(shape)}"
            )
        yield frame
        count += 1
    if count == 0:
        raise MediaError(f"{path} holds no frames")


def read_video(path: str | Path) -> np.ndarray:
    """Read all frames that ``iterate_video`` yields, as uint8 (T, H, W, 3) RGB. Raise ``MediaError`` as it does."""
    return np.stack(list(iterate_video(path)))


def _open_frames(path: Path, as_stored: bool) -> Iterator[np.ndarray]:
    """Return the iterator of frames that fits the kind of ``path``."""
    if path.is_dir():
        return _folder_frames(image_paths(path))
    facts = video_facts(path)
    timed = timed_pictures(path) if read_by_pillow(path) else _decoded(path)
    if facts.end is None or facts.fps is None:
        return (frame for _, frame in timed)
    if as_stored:
        warn_once("varying", f"{path}: its frame rate varies. It is read frame by frame, as its annotations count them")
        return (frame for _, frame in timed)
    return frames_at_rate(timed, facts.fps, facts.end)


def _folder_frames(paths: list[Path]) -> Iterator[np.ndarray]:
    """Yield the images at ``paths``. Raise ``MediaError`` if they differ in size."""
    shape = None
    for path in paths:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(f"{path} is {size_text(frame.shape)}, but the frames before it are {size_text(shape)}")
        yield frame


def _decoded(path: Path) -> Iterator[Timed]:
    """Yield the frames of a video, decoded by FFmpeg, with their times in seconds.

    Raises:
        MediaError: The video is damaged or cut. The readable frames come first.
    """
    facts, count = video_facts(path), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        display = DisplayedFrames(path, stream.sample_aspect_ratio)
        for frame in _frames(container, stream, path):
            if frame is not None and frame.is_corrupt:
                raise MediaError(f"{path} is damaged after {count} frames")
            for time, picture in display.add(frame):
                yield 0.0 if time is None else time, picture
                count += 1
    if facts.cut:
        raise cut_error(path, count)
    if count < (1 - MISSING_SHARE) * facts.num_stored:
        raise MediaError(f"{path} is damaged: {count} of its {facts.num_stored} frames can be decoded")


def _frames(container: Any, stream: Any, path: Path) -> Iterator[av.VideoFrame | None]:
    """Yield the decoded frames of a stream that are meant to be shown, and None after the last."""
    decoder = _alpha_decoder(stream, path)
    if decoder is None:
        yield from container.decode(stream)
    else:
        for packet in container.demux(stream):
            yield from decoder.decode(packet if packet.size else None)
    yield None


def _alpha_decoder(stream: Any, path: Path) -> Any:
    """Return the decoder of a WebM with transparency, or None for other videos.

    FFmpeg's own decoders of VP8 and VP9 drop the transparency.
    """
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode") != "1":
        return None
    try:
        decoder: Any = av.CodecContext.create(name, "r")
    except av.codec.codec.UnknownCodecError:
        warn_once("alpha", f"{path} is transparent, and this FFmpeg cannot read that ({name} is missing): it is opaque")
        return None
    decoder.extradata = stream.codec_context.extradata
    return decoder
