"""Sound tracks of videos, so that an animation can keep the sound of its driving video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from i2vkit.media.files import naming

# By suffix of the file: the codec of sound and its sample format.
_CODECS = {".mp4": ("aac", "fltp"), ".mkv": ("flac", "s16"), ".avi": ("pcm_s16le", "s16")}
SOUND_SUFFIXES = tuple(_CODECS)
_BIT_RATE = 192_000  # of AAC
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # that all of these codecs take
_CHUNK = 1024  # samples that are encoded at a time


@dataclass(frozen=True)
class Sound:
    """A sound track.

    Attributes:
        samples: float32 (N, 2), left and right, in [-1, 1].
        rate: Samples a second.
    """

    samples: np.ndarray
    rate: int

    def lasting(self, seconds: float) -> Sound:
        """Return this sound cut, or extended by silence, to a number of seconds.

        >>> Sound(np.ones((8, 2), np.float32), 8).lasting(1.5).samples[:, 0].tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
        """
        count = round(seconds * self.rate)
        kept = self.samples[:count]
        return Sound(np.pad(kept, ((0, count - len(kept)), (0, 0))), self.rate)


def read_sound(path: str | Path, rate: int | None = None) -> Sound | None:
    """Read the sound track of a video, from the time of its first shown frame on, or return None if it has none.

    Args:
        path: The file.
        rate: Samples a second of the result. By default those of the file, or the nearest usual number.

    Raises:
        MediaError: The file cannot be read.
    """
    path = Path(path)
    with naming(path, "cannot be read"), av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        rate = rate or min(_RATES, key=lambda known: abs(known - stream.rate))
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=rate)
        parts, start = [], None
        for frame in container.decode(stream):
            start = frame.time if start is None else start
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
        parts += [part.to_ndarray() for part in resampler.resample(None)]
        picture = container.streams.video[0] if container.streams.video else None
        begin = float((picture.start_time or 0) * (picture.time_base or 1)) if picture is not None else 0.0
    # Packed samples: (1, 2 n) of each part -> (N, 2)
    samples = np.concatenate([part.reshape(-1, 2) for part in parts]) if parts else np.zeros((0, 2), np.float32)
    late = round(((start or 0.0) - begin) * rate)  # samples by which the sound begins after the picture
    samples = np.pad(samples, ((late, 0), (0, 0))) if late > 0 else samples[-late:]
    return Sound(samples, rate)


def joined(sounds: Sequence[Sound]) -> Sound:
    """Return sounds of one rate, one after the other."""
    return Sound(np.concatenate([sound.samples for sound in sounds]), sounds[0].rate)


class SoundEncoder:
    """An encoder of a sound track that is written along with the frames of a video.

    Args:
        container: The opened output of PyAV.
        sound: The sound.
        suffix: The suffix of the file, ".mp4", ".mkv" or ".avi".
    """

    def __init__(self, container: Any, sound: Sound, suffix: str):
        codec, self.format = _CODECS[suffix]
        self.container, self.sound, self._done = container, sound, 0
        self.stream = container.add_stream(codec, rate=sound.rate, layout="stereo")
        if codec == "aac":
            self.stream.bit_rate = _BIT_RATE

    def write_until(self, seconds: float) -> None:
        """Encode the sound up to a time of the video. Where it is over, silence follows."""
        stop = round(seconds * self.sound.rate)
        while self._done < stop:
            self._encode(self._done, min(self._done + _CHUNK, stop))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self.container.mux(self.stream.encode(None))

    def _encode(self, start: int, stop: int) -> None:
        part = self.sound.samples[start:stop]
        samples = np.pad(part, ((0, stop - start - len(part)), (0, 0)))
        if self.format == "s16":
            samples = (samples * 32767).round().clip(-32768, 32767).astype(np.int16)
            packed = samples.reshape(1, -1)  # (n, 2) -> (1, 2 n): left and right by turns
        else:
            packed = np.ascontiguousarray(samples.T)  # (n, 2) -> (2, n)
        frame = av.AudioFrame.from_ndarray(packed, format=self.format, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = self.sound.rate, start, Fraction(1, self.sound.rate)
        self.container.mux(self.stream.encode(frame))
        self._done = stop
