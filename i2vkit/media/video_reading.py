"""Reading of videos, GIFs and folders of images.

Videos are always read from the first frame on, because seeking by frame number is not exact.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageSequence

from i2vkit.errors import MediaError
from i2vkit.media.files import naming, size_text
from i2vkit.media.images import IMAGE_SUFFIXES, image_paths, read_image, to_rgb

VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif")

# Image formats in which further pictures are frames. A phone's JPEG (MPO) or a TIFF may hold several pictures too, but
# there they are a second view or a thumbnail.
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG")
# A video that lacks more than this share of the length in its header counts as cut. Smaller shares are usual, because
# editors trim the edges.
_MISSING_SHARE = 0.05


def iterate_video(path: str | Path) -> Iterator[np.ndarray]:
    """Yield the frames of a video, a GIF, a folder of images (sorted by name) or one image.

    Args:
        path: The file or the folder.

    Yields:
        Frames uint8 (H, W, 3) RGB.

    Raises:
        MediaError: The file does not exist or holds no frames. A cut or damaged file yields its readable frames first.
            The message then says how many there were.
    """
    path = Path(path)
    count = 0
    with naming(path, f"cannot be read after {count} frames"):
        frames = _open_frames(path)
    while True:
        with naming(path, f"cannot be read after {count} frames"):
            frame = next(frames, None)
        if frame is None:
            break
        yield frame
        count += 1
    if count == 0:
        raise MediaError(f"{path} holds no frames")


def read_video(path: str | Path) -> np.ndarray:
    """Read all frames that ``iterate_video`` yields, as uint8 (T, H, W, 3) RGB. Raise ``MediaError`` as it does."""
    return np.stack(list(iterate_video(path)))


def video_length(path: str | Path) -> int:
    """Count the frames that ``iterate_video`` would yield, without decoding them.

    Raises:
        MediaError: The file cannot be read.
    """
    path = Path(path)
    with naming(path, "cannot be read"):
        if path.is_dir():
            return len(image_paths(path))
        if not _is_video(path):
            with Image.open(path) as image:
                return getattr(image, "n_frames", 1) if image.format in _ANIMATED_FORMATS else 1
        with av.open(str(path)) as container:
            # Each packet of a video stream is one encoded frame; empty and discarded packets yield none.
            return sum(packet.size > 0 and not packet.is_discard for packet in container.demux(video=0))


def stated_length(path: str | Path) -> int | None:
    """Return the number of frames that the header of a video states, or ``None`` if it states none.

    This only reads the header and is fast, but headers may be wrong. Use ``video_length`` to count.

    Raises:
        MediaError: The file cannot be read, or it holds no video stream.
    """
    with naming(path := Path(path), "cannot be read"), av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path} holds no pictures")
        return container.streams.video[0].frames or None


def video_fps(path: str | Path) -> float | None:
    """Return the frames per second that a video or GIF states, or ``None`` for images.

    Raises:
        MediaError: The file cannot be read.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return None
    with naming(path, "cannot be read"):
        if not _is_video(path):
            with Image.open(path) as image:
                durations = [frame.info.get("duration", 0) for frame in ImageSequence.Iterator(image)]
            return 1000 * len(durations) / sum(durations) if sum(durations) else None
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate
        return float(rate) if rate else None


def _is_video(path: Path) -> bool:
    """Return whether FFmpeg reads the file. Pillow reads images and GIFs, whose frames it composes more reliably."""
    return path.suffix.lower() not in (*IMAGE_SUFFIXES, ".gif")


def _open_frames(path: Path) -> Iterator[np.ndarray]:
    """Return the iterator of frames that fits the kind of ``path``."""
    if path.is_dir():
        return _folder_frames(image_paths(path))
    return _decoded_frames(path) if _is_video(path) else _image_frames(path)


def _folder_frames(paths: list[Path]) -> Iterator[np.ndarray]:
    """Yield the images at ``paths``. Raise ``MediaError`` if they differ in size."""
    shape = None
    for path in paths:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(f"{path} is {size_text(frame.shape)}, but the frames before it are {size_text(shape)}")
        yield frame


def _image_frames(path: Path) -> Iterator[np.ndarray]:
    """Yield the pictures of an image file: all frames of an animated format, else the first picture only."""
    with Image.open(path) as image:
        pictures = ImageSequence.Iterator(image) if image.format in _ANIMATED_FORMATS else [image]
        for picture in pictures:
            yield to_rgb(picture, path)


def _decoded_frames(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames of a video, decoded by FFmpeg. Raise ``MediaError`` if it is damaged or cut."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path} holds no pictures")
        stream = container.streams.video[0]
        frame, count = None, 0
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise MediaError(f"{path} is damaged after {count} frames")
            # A phone held upright stores its frames sideways, with an angle to turn by (degrees, counterclockwise).
            yield np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))
            count += 1
        if _missing_share(container, stream, frame, count) > _MISSING_SHARE:
            raise MediaError(f"{path} is cut: it ends after {count} frames, before the end that its header states")


def _missing_share(container, stream, last, count: int) -> float:
    """Return the share of frames that is missing, 0 to 1, or 0 if the header states no length.

    The header states a number of frames, or else a duration in seconds. The duration is only used for a single stream,
    because an audio track may be longer than the video.
    """
    if stream.frames:
        return 1 - count / stream.frames
    if last is None or last.time is None or not container.duration or len(container.streams) > 1:
        return 0.0
    end = last.time + float(last.duration * last.time_base) - (container.start_time or 0) / av.time_base
    return 1 - end / (container.duration / av.time_base)
