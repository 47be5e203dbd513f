"""Small videos with the properties that containers may state about display and time, written by PyAV."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

TICKS = 12_800  # a second


def bars(count: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Grey frames (T, H, W, 3), frame t with a bright bar from column t * width / count on."""
    frames = np.full((count, height, width, 3), 60, np.uint8)
    for t in range(count):
        left = round(t * width / count)
        frames[t, :, left : left + max(2, width // count)] = 220
    return frames


def make_video(
    path: Path,
    frames: Sequence[np.ndarray] | np.ndarray,
    *,
    fps: float = 25,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    rotation: int | None = None,
    colour: tuple[int, int] | None = None,
    interlaced: bool = False,
) -> Path:
    """Write frames, (H, W, 3) RGB or (H, W, 4) RGBA, and return the path.

    Args:
        path: The file.
        frames: The frames.
        fps: The rate that is stated.
        times: The times in seconds at which frames appear. By default the rate sets them.
        codec: The encoder.
        pixels: Its pixel format.
        options: Its options.
        aspect: Width of a pixel divided by its height.
        rotation: Degrees, counterclockwise, by which players turn it.
        colour: Matrix (1 is BT.709) and range (1 is limited, 2 is full) in which pixels are stored, both stated.
        interlaced: Mark the frames as two fields each, and store them so.
    """
    times = [t / fps for t in range(len(frames))] if times is None else times
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options or {})
        stream.pix_fmt, stream.height, stream.width = pixels, *frames[0].shape[:2]
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = stream.time_base = Fraction(1, TICKS)
        if codec.startswith("mpeg2"):
            stream.codec_context.time_base = stream.time_base = 1 / Fraction(fps).limit_denominator(1001)
        if interlaced:
            stream.codec_context.flags |= 1 << 18 | 1 << 29  # discrete cosines and motion of fields
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if colour is not None:
            stream.codec_context.colorspace, stream.codec_context.color_range = colour
        for time, picture in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.shape[2] == 3 else "rgba")
            if colour is not None:
                frame = frame.reformat(format=pixels, dst_colorspace=colour[0], dst_color_range=colour[1])
                frame.colorspace, frame.color_range = colour
            frame.pts, frame.time_base = round(time / stream.codec_context.time_base), stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def trim_without_encoding(path: Path, out: Path, start: float) -> Path:
    """Copy the packets of an MP4 so that an edit list hides the frames before ``start`` seconds, and return ``out``."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                shift = round(start / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                target.mux(packet)
    return out


def cut(path: Path, share: float) -> Path:
    """Cut a file to a share of its bytes, and return its path."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path
