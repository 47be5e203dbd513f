"""Writing of videos, GIFs and strips, frame by frame."""

from collections.abc import Iterable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from einops import rearrange
from PIL import Image

from i2vkit.errors import MediaError
from i2vkit.media.files import FrameError, as_path, atomic_path, check_frame, naming, size_text
from i2vkit.media.sound import Sound, SoundEncoder
from i2vkit.values import refuse_values

# By suffix: codec, pixel format, options of the codec, options of the container.
_CODECS = {
    # The same frames should give the same bytes. Hence one thread, a container without version strings and random
    # numbers, and no macroblock tree: with the tree, x264 encodes one file in twenty differently by a few levels.
    ".mp4": (
        "libx264",
        "yuv420p",
        {"crf": "16", "threads": "1", "x264-params": "threads=1:lookahead-threads=1:mbtree=0"},
        {"movflags": "+faststart"},
    ),
    ".mkv": ("ffv1", "bgr0", {}, {"fflags": "+bitexact"}),
    ".avi": ("mjpeg", "yuvj444p", {"qmin": "2", "qmax": "2", "threads": "1"}, {"fflags": "+bitexact"}),
}

_BT601, _LIMITED = 6, 1  # numbers in H.273


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float = 25.0) -> None:
    """Write a video with a ``VideoWriter``.

    Args:
        path: The file to write. Its suffix chooses the format, see ``VideoWriter``.
        frames: Frames uint8 (H, W, 3) RGB, all of one size.
        fps: Frames per second.

    Raises:
        MediaError: As ``VideoWriter`` does.
    """
    if not isinstance(frames, Iterable):
        raise FrameError(f"the frames of a video are a list of arrays uint8 (H, W, 3), not {type(frames).__name__}")
    with VideoWriter(path, fps) as writer:
        for frame in frames:
            writer.write(frame)


class VideoWriter:
    """A context manager that writes a video frame by frame. ``path`` appears only if the body ends well.

    The suffix chooses the format. These three are encoded while frames arrive:

    - ``.mp4``: H.264, yuv420p. Odd sizes are padded to even ones by repeating the edge.
    - ``.mkv``: ffv1, lossless.
    - ``.avi``: Motion JPEG.

    These two hold all frames in memory until the end:

    - ``.gif``: 256 colours for each frame. Players merge equal frames that follow each other.
    - ``.png``: a strip with the frames from left to right.

    Args:
        path: The file to write.
        fps: Frames per second; a ``.png`` ignores it.
        sound: The sound track, which is cut to the length of the video. ``.mp4`` stores it as AAC, ``.mkv`` and
            ``.avi`` without loss. By default there is none.

    Raises:
        MediaError: The suffix is another one or takes no sound, no frame was written, frames differ in size, or the
            file cannot be written.
    """

    def __init__(self, path: str | Path, fps: float = 25.0, sound: Sound | None = None):
        refuse_values(fps=(fps, float))
        self.path = as_path(path)
        self.fps = fps
        self.sound = sound
        self._shape: tuple[int, ...] | None = None
        if self.path.suffix.lower() not in (*_CODECS, ".gif", ".png"):
            raise MediaError(f"{self.path}: a video is written as .mp4, .mkv, .avi, .gif or .png (a strip)")
        if sound is not None and self.path.suffix.lower() not in _CODECS:
            raise MediaError(f"{self.path}: only {', '.join(_CODECS)} hold sound")

    def __enter__(self) -> "VideoWriter":
        suffix = self.path.suffix.lower()
        with ExitStack() as stack, naming(self.path, "cannot be written"):
            temporary = stack.enter_context(atomic_path(self.path))
            sink: _Encoder | _Pictures = (
                _Encoder(temporary, self.fps, self.sound, *_CODECS[suffix])
                if suffix in _CODECS
                else _Pictures(temporary, self.fps)
            )
            stack.enter_context(sink)
            self._sink = sink
            self._stack = stack.pop_all()  # keeps both contexts open until ``__exit__``
        return self

    def write(self, frame: np.ndarray) -> None:
        """Add ``frame``, uint8 (H, W, 3) RGB. Raise ``MediaError`` if its size differs from that of the first frame."""
        check_frame(frame, "a frame")
        self._shape = self._shape or frame.shape
        if frame.shape != self._shape:
            raise MediaError(
                f"{self.path}: a frame of {size_text(frame.shape)} after frames of {size_text(self._shape)}"
            )
        with naming(self.path, "cannot be written"):
            self._sink.write(frame)

    def __exit__(self, kind, error, trace) -> None:
        if error is None and self._shape is None:
            error = MediaError(f"{self.path}: there are no frames to write")
            self._stack.__exit__(MediaError, error, None)
            raise error
        with naming(self.path, "cannot be written"):
            self._stack.__exit__(kind, error, trace)


class _Encoder:
    """An FFmpeg encoder that encodes frames as they arrive."""

    def __init__(
        self,
        path: Path,
        fps: float,
        sound: Sound | None,
        codec: str,
        pixel_format: str,
        options: dict,
        container_options: dict,
    ):
        self.container = av.open(str(path), "w", options=container_options)
        stream = self.container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        assert isinstance(stream, av.VideoStream)  # all codecs of ``_CODECS`` are of videos
        self.stream = stream
        self.stream.pix_fmt = pixel_format
        if pixel_format == "yuv420p":
            # Said, because players take BT.709 for large pictures: the matrix is BT.601, the range the limited one.
            self.stream.codec_context.colorspace, self.stream.codec_context.color_range = _BT601, _LIMITED
        self._begun, self._count, self._fps = False, 0, fps
        self._sound = None if sound is None else SoundEncoder(self.container, sound, path.suffix.lower())

    def __enter__(self) -> "_Encoder":
        return self

    def write(self, frame: np.ndarray) -> None:
        """Encode ``frame``, uint8 (H, W, 3). The first frame sets the size of the stream."""
        if self.stream.pix_fmt == "yuv420p":  # colour is stored in blocks of 2x2 pixels
            frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        if not self._begun:
            self.stream.height, self.stream.width = frame.shape[:2]
            self._begun = True
        self.container.mux(self.stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        self._count += 1
        if self._sound is not None:
            self._sound.write_until(self._count / self._fps)

    def __exit__(self, kind, error, trace) -> None:
        try:
            if error is None:
                self.container.mux(self.stream.encode())  # flushes the frames that the encoder still holds
                if self._sound is not None:
                    self._sound.finish()
        finally:
            self.container.close()


class _Pictures:
    """A writer that holds all frames until the end and then writes a GIF or a strip with Pillow."""

    def __init__(self, path: Path, fps: float):
        self.path, self.fps = path, fps
        self.frames: list[np.ndarray] = []

    def __enter__(self) -> "_Pictures":
        return self

    def write(self, frame: np.ndarray) -> None:
        """Keep a copy of ``frame``, because the caller may reuse its array."""
        self.frames.append(frame.copy())

    def __exit__(self, kind, error, trace) -> None:
        if error is not None:
            return
        if self.path.suffix.lower() == ".png":
            Image.fromarray(rearrange(self.frames, "t h w c -> h (t w) c")).save(self.path)
            return
        first, *rest = [Image.fromarray(frame).quantize(256) for frame in self.frames]
        # A GIF stores hundredths of a second. Rounding the times instead of the durations keeps the rate on average.
        ends = np.round(np.arange(len(self.frames) + 1) * 100 / self.fps).astype(int) * 10
        first.save(self.path, save_all=True, append_images=rest, duration=np.diff(ends).tolist(), loop=0)
