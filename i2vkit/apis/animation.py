"""The result of an animation: videos in memory, a file, or both, with a player for notebooks."""

from __future__ import annotations

import shutil
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from i2vkit.errors import MediaError
from i2vkit.media import SOUND_SUFFIXES, Sound
from i2vkit.visualization import AnimationWriter

_PLAYED = {".mp4": "video/mp4", ".gif": "image/gif", ".png": "image/png"}


@dataclass(frozen=True, repr=False)
class Animation:
    """The videos that were made of one image.

    Attributes:
        num_frames: Frames of each video.
        fps: Frames a second.
        captions: A name for each of the N videos, which tells it from the others.
        videos: uint8 (N, T, H, W, 3). N is 1 unless there are several labels, samples or interpolated seeds. None if
            they were written to a file and not kept (``keep_frames``).
        path: The file, if one was written.
        sound: The sound of the driving video, if it was kept. Files that hold sound get it.
    """

    num_frames: int
    fps: float
    captions: tuple[str, ...]
    videos: np.ndarray | None = None
    path: Path | None = None
    sound: Sound | None = None

    @property
    def frames(self) -> np.ndarray | None:
        """Return the first video, uint8 (T, H, W, 3), or None if the frames were not kept."""
        return None if self.videos is None else self.videos[0]

    @property
    def video(self) -> Tensor:
        """Return the first video as a tensor, uint8 (T, 3, H, W).

        Raises:
            MediaError: The frames were not kept.
        """
        return torch.from_numpy(self._kept()[0]).permute(0, 3, 1, 2).contiguous()  # (T, H, W, 3) -> (T, 3, H, W)

    def save(self, path: str | Path) -> Path:
        """Write the videos alone, several of them as a grid, and return the path.

        Args:
            path: A file ``.mp4``, ``.mkv``, ``.avi`` or ``.gif``, or ``.png`` for a strip of frames.

        Raises:
            MediaError: The frames were not kept and no file of that kind was written, or the file cannot be written.
        """
        path = Path(path)
        if self.videos is None and self.path is not None and self.path.suffix.lower() == path.suffix.lower():
            if path.resolve() != self.path.resolve():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.path, path)
            return path
        videos, columns = self._kept(), int(np.ceil(np.sqrt(len(self.captions))))
        rows = [list(self.captions[start : start + columns]) for start in range(0, len(self.captions), columns)]
        rows[-1] += [""] * (columns - len(rows[-1]))
        sound = self.sound if path.suffix.lower() in SOUND_SUFFIXES else None
        with AnimationWriter(path, self.fps, videos[0, 0], rows, sound) as writer:
            for t in range(self.num_frames):
                writer.write(dict(zip(self.captions, videos[:, t], strict=True)))
        return path

    def _kept(self) -> np.ndarray:
        if self.videos is None:
            raise MediaError(f"the frames were written to {self.path} and not kept: animate with keep_frames=True")
        return self.videos

    def __repr__(self) -> str:
        """Describe the animation in one line."""
        count = f"{len(self.captions)} videos of " if len(self.captions) > 1 else ""
        size = "" if self.videos is None else f" of {self.videos.shape[3]}x{self.videos.shape[2]}"
        where = "" if self.path is None else f", {self.path}"
        return f"Animation({count}{self.num_frames} frames{size}, {self.fps:g} a second{where})"

    def _repr_html_(self) -> str:
        """Return the animation as a player for a notebook."""
        if self.videos is None and (self.path is None or self.path.suffix.lower() not in _PLAYED):
            return repr(self)
        with TemporaryDirectory() as folder:
            path = self.path if self.videos is None else self.save(Path(folder) / "animation.mp4")
            assert path is not None  # without videos and without a file, the text above was returned
            kind, data = _PLAYED[path.suffix.lower()], b64encode(path.read_bytes()).decode()
        url = f"data:{kind};base64,{data}"
        if kind.startswith("image"):
            return f'<img src="{url}" alt="{self!r}">'
        style = "min-width: 256px; image-rendering: pixelated"
        return f'<video src="{url}" style="{style}" controls autoplay loop muted></video>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what a notebook may show: text, and a player."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}
