"""Facts about videos, animations and folders of images: how many frames they show, and at which rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from i2vkit.errors import MediaError
from i2vkit.media.animations import durations
from i2vkit.media.files import as_path, check_readable, naming
from i2vkit.media.frame_times import num_frames_at_rate, regular_rate, steady_rate
from i2vkit.media.images import IMAGE_SUFFIXES, image_paths

VIDEO_SUFFIXES = (
    *(".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif", ".apng"),
    *(".ts", ".mts", ".m2ts", ".3gp", ".flv", ".ogv"),
)
# Files that Pillow reads, because it composes the frames of animations more reliably than FFmpeg.
_PILLOW = (*IMAGE_SUFFIXES, ".gif", ".apng")

# A video that lacks more than this share of the length in its header counts as cut. Smaller shares are usual, because
# editors trim the edges.
MISSING_SHARE = 0.05
# Containers whose header lists all frames, and those whose header states a duration that was measured.
_LISTED, _TIMED = ("mov", "avi"), ("mov", "avi", "matroska", "webm", "flv")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # an object of a WMV header that holds its size


@dataclass(frozen=True)
class VideoFacts:
    """The facts about the frames of a video, an animation, an image or a folder of images.

    Attributes:
        num_frames: Frames that it shows at ``fps``. It is ``num_stored``, unless the rate of the file varies.
        fps: Frames a second, or None for stills and where the file does not say.
        num_stored: Frames in the file that are meant to be shown. Those that an edit list hides do not count.
        end: Seconds from the first frame to the end of the last, if the rate varies. Otherwise None.
        cut: True if the file ends before the end that its header states.
        sound: True if there is a sound track.
    """

    num_frames: int
    fps: float | None = None
    num_stored: int = 0
    end: float | None = None
    cut: bool = False
    sound: bool = False

    @property
    def stored_fps(self) -> float | None:
        """Return the frames a second of the frames as stored, on average if the rate varies."""
        return self.num_stored / self.end if self.end else self.fps


def video_facts(path: str | Path) -> VideoFacts:
    """Return the facts about a video, an animation, an image or a folder of images. No frame of a video is decoded.

    A video whose frames last about equally long is read frame by frame. Any other, such as a recording of a screen, is
    read at the rate of its fastest frames, and long frames are repeated.

    Raises:
        MediaError: The file cannot be read, or holds no pictures.
    """
    path = as_path(path)
    if path.is_dir():
        count = len(image_paths(path))
        return VideoFacts(count, num_stored=count)
    with naming(path, "cannot be read"):
        check_readable(path)
        state = path.stat()
        return _file_facts(path, state.st_size, state.st_mtime_ns)


def video_length(path: str | Path) -> int:
    """Return the number of frames that ``iterate_video`` yields, without decoding those of a video.

    Raises:
        MediaError: The file cannot be read, holds no pictures, or is cut.
    """
    return whole_facts(path).num_frames


def video_fps(path: str | Path) -> float | None:
    """Return the frames a second at which ``iterate_video`` yields frames, or None if the file does not say.

    Stills and folders of images have no rate.

    Raises:
        MediaError: The file cannot be read, or holds no pictures.
    """
    return video_facts(path).fps


def whole_facts(path: str | Path) -> VideoFacts:
    """Return ``video_facts`` of a file that is not cut. Raise ``MediaError`` if it is."""
    facts = video_facts(path)
    if facts.cut:
        raise cut_error(Path(path), facts.num_stored)
    return facts


def cut_error(path: Path, count: int) -> MediaError:
    """Return the error for a file that ends after ``count`` frames."""
    return MediaError(f"{path} is cut: it ends after {count} frames, before the end that its header states")


def read_by_pillow(path: Path) -> bool:
    """Return True if Pillow reads the file, and False if FFmpeg does."""
    return path.suffix.lower() in _PILLOW


@lru_cache(maxsize=1 << 16)
def _file_facts(path: Path, size: int, changed: int) -> VideoFacts:
    """Return the facts about a file. Its size and time of change tell it from an older file of that name."""
    if read_by_pillow(path):
        lasting = durations(path)
        if len(lasting) < 2 or not sum(lasting):
            return VideoFacts(len(lasting), num_stored=len(lasting))
        ends = np.cumsum(lasting)
        return _timed(np.append(0.0, ends[:-1]), float(ends[-1]), None)
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise MediaError(f"{path} holds no pictures")
        facts = _listed_facts(container, size) or _scanned_facts(container)
        shorter = _is_of(container, ("asf",)) and size < (1 - MISSING_SHARE) * _stated_bytes(path)
        return replace(facts, cut=facts.cut or shorter)


def _timed(starts: np.ndarray, end: float, stated: float | None, **more: bool) -> VideoFacts:
    """Return the facts about frames that appear at these times in seconds."""
    count = len(starts)
    fps = regular_rate(starts, end, stated)
    if fps is not None or count < 2:
        return VideoFacts(count, fps, count, **more)
    rate, lasting = steady_rate(starts, end), float(end - starts[0])
    return VideoFacts(num_frames_at_rate(rate, lasting), rate, count, lasting, **more)


def _listed_facts(container: Any, size: int) -> VideoFacts | None:
    """Return the facts as the list of frames in a header tells them, without reading the frames.

    Return None if there is no such list, or if the times of its frames vary, since it has only those of decoding.
    """
    stream = container.streams.video[0]
    entries = stream.index_entries if _is_of(container, _LISTED) and stream.frames else ()
    if not stream.frames or len(entries) < stream.frames:
        return None
    shown = [entry for entry in entries if not entry.is_discard and entry.size > 0]
    if not shown or any(entry.pos + entry.size > size for entry in shown):
        return None  # a cut file, of which the other way counts what is left
    starts = np.array([entry.timestamp for entry in shown]) * float(stream.time_base)
    last = float(np.median(np.diff(starts))) if len(starts) > 1 else 0.0
    lasting = float(stream.duration * stream.time_base) if stream.duration else 0.0
    facts = _timed(
        starts, max(starts[-1] + last, starts[0] + lasting), _stated_rate(stream), sound=_has_sound(container)
    )
    return None if facts.end is not None else facts


def _scanned_facts(container: Any) -> VideoFacts:
    """Return the facts after reading all packets of a video, each of which is an encoded frame."""
    stream = container.streams.video[0]
    starts: list[float] = []
    lasting: list[float] = []
    seen, ends, untimed, decoded_at = 0, [0.0], False, None
    for packet in container.demux([stream, *container.streams.audio]):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            ends.append(float((time + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != stream.index:
            continue
        seen += time is not None or packet.size > 0
        # Where one recording was appended to another, times begin anew and tell nothing.
        untimed = untimed or (packet.dts is not None and decoded_at is not None and packet.dts <= decoded_at)
        decoded_at = packet.dts if packet.dts is not None else decoded_at
        # Empty packets repeat a frame. Discarded ones lie before the part that an edit list shows.
        if packet.size > 0 and not packet.is_discard:
            untimed = untimed or packet.pts is None
            starts.append(0.0 if time is None else float(time * packet.time_base))
            lasting.append(float((packet.duration or 0) * packet.time_base))
    more = dict(sound=_has_sound(container), cut=_is_cut(container, seen, starts, lasting, max(ends)))
    stated = _stated_rate(stream)
    if untimed or len(starts) < 2:
        return VideoFacts(len(starts), stated, len(starts), **more)
    order = np.argsort(starts, kind="stable")
    times = np.array(starts)[order]
    end = times[-1] + max(lasting[order[-1]], float(np.median(np.diff(times))))
    return _timed(times, end, stated, **more)


def _is_cut(container: Any, seen: int, starts: list[float], lasting: list[float], end: float) -> bool:
    """Return True if a file ends before the end that its header states.

    Args:
        container: The opened file.
        seen: Packets of the video that were found, also those that show nothing.
        starts: The times in seconds of those that show a frame.
        lasting: The seconds for which they are shown.
        end: The time in seconds at which video and sound end.
    """
    stream = container.streams.video[0]
    if not _is_of(container, _TIMED) or (stream.frames and seen >= (1 - MISSING_SHARE) * stream.frames):
        return False
    # Headers may count frames that show nothing, so what counts is the time at which all ends.
    if stream.frames:
        own = stream.frames if _is_of(container, ("avi",)) else stream.duration or 0  # FFmpeg shortens that of an AVI
        stated, end = float(own * stream.time_base), max(map(sum, zip(starts, lasting, strict=True)), default=0.0)
    else:
        stated = (container.duration or 0) / av.time_base
        end += max(starts, default=0.0) / max(1, len(starts) - 1)  # some packets do not state how long they last
    return end < (1 - MISSING_SHARE) * stated


def _stated_bytes(path: Path) -> int:
    """Return the size in bytes that the header of a WMV or ASF file states, 0 if there is none (a stream)."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    place = head.find(_FILE_PROPERTIES)
    # The object's identity, its own size (8 bytes) and that of the file (16 bytes) come first.
    return int.from_bytes(head[place + 40 : place + 48], "little") if place >= 0 else 0


def _is_of(container: Any, formats: Iterable[str]) -> bool:
    return bool(set(container.format.name.split(",")) & set(formats))


def _stated_rate(stream: Any) -> float | None:
    return float(stream.average_rate) if stream.average_rate else None


def _has_sound(container: Any) -> bool:
    return bool(container.streams.audio)
