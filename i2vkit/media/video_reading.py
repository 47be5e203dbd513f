"""Videos, GIFs and folders of images, read from the first frame on: seeking by frame number is not exact."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageSequence

from i2vkit.errors import MediaError
from i2vkit.media.files import naming, size_text
from i2vkit.media.images import IMAGE_SUFFIXES, image_paths, read_image, to_rgb

VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif")

# Image formats whose further pictures are frames; a phone's JPEG (MPO) or a TIFF may hold a second view or a thumbnail.
_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG")
# A video that lacks more than this share of what its header promises was cut; less is usual (trimmed edges).
_MISSING_SHARE = 0.05


def iterate_video(path: str | Path) -> Iterator[np.ndarray]:
    """Yield the frames of a video, a GIF, a folder of images (sorted by name) or one image, as uint8 (H, W, 3) RGB.

    Raises ``MediaError`` if there is no such file, it holds no frames, or, after its readable frames, it is cut or
    damaged; the message tells how many frames came before the fault.
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
    """Read all that ``iterate_video`` yields as uint8 (T, H, W, 3) RGB. Raises ``MediaError`` as it does."""
    return np.stack(list(iterate_video(path)))


def video_length(path: str | Path) -> int:
    """Count the frames of what ``iterate_video`` reads, without decoding them. Raises ``MediaError``."""
    path = Path(path)
    with naming(path, "cannot be read"):
        if path.is_dir():
            return len(image_paths(path))
        if not _is_video(path):
            with Image.open(path) as image:
                return image.n_frames if image.format in _ANIMATED_FORMATS else 1
        with av.open(str(path)) as container:
            return sum(packet.size > 0 and not packet.is_discard for packet in container.demux(video=0))


def stated_length(path: str | Path) -> int | None:
    """Tell how many frames the header of a video states, which costs no reading; ``None`` if it does not say."""
    with naming(path := Path(path), "cannot be read"), av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path} holds no pictures")
        return container.streams.video[0].frames or None


def video_fps(path: str | Path) -> float | None:
    """Tell the frames per second that a video or GIF states; ``None`` for images. Raises ``MediaError``."""
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
    """Whether FFmpeg and not Pillow reads the file; Pillow knows better how the frames of a GIF build on each other."""
    return path.suffix.lower() not in (*IMAGE_SUFFIXES, ".gif")


def _open_frames(path: Path) -> Iterator[np.ndarray]:
    if path.is_dir():
        return _folder_frames(image_paths(path))
    return _decoded_frames(path) if _is_video(path) else _image_frames(path)


def _folder_frames(paths: list[Path]) -> Iterator[np.ndarray]:
    shape = None
    for path in paths:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise MediaError(f"{path} is {size_text(frame.shape)}, but the frames before it are {size_text(shape)}")
        yield frame


def _image_frames(path: Path) -> Iterator[np.ndarray]:
    with Image.open(path) as image:
        pictures = ImageSequence.Iterator(image) if image.format in _ANIMATED_FORMATS else [image]
        for picture in pictures:
            yield to_rgb(picture, path)


def _decoded_frames(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path} holds no pictures")
        stream = container.streams.video[0]
        frame, count = None, 0
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise MediaError(f"{path} is damaged after {count} frames")
            # A phone held upright films lying frames and says how to turn them (degrees, counterclockwise).
            yield np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))
            count += 1
        if _missing_share(container, stream, frame, count) > _MISSING_SHARE:
            raise MediaError(f"{path} is cut: it ends after {count} frames, before the end that its header states")


def _missing_share(container, stream, last, count: int) -> float:
    """How much of the stated number of frames, or else of the stated duration, is missing; 0 if unknown."""
    if stream.frames:
        return 1 - count / stream.frames
    if last is None or last.time is None or not container.duration or len(container.streams) > 1:
        return 0.0
    end = last.time + float(last.duration * last.time_base) - (container.start_time or 0) / av.time_base
    return 1 - end / (container.duration / av.time_base)
