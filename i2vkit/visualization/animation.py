"""The file of an animation: the generated frames, alone or beside what they were made from."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from i2vkit.media import VideoWriter, write_image
from i2vkit.visualization.grids import SideBySide
from i2vkit.visualization.strips import labelled_strips

STRIP_FRAMES = 12


class AnimationWriter:
    """Writes an animation frame by frame; a context manager, and the file is there only once the body ended well.

    ``.mp4``, ``.mkv`` and ``.gif`` show the columns side by side under their captions, or the generated frames as they
    are where they stand alone. ``.png`` is a strip of up to 12 frames, evenly spread, with a row for each column; a
    strip and a GIF hold their frames until the end, a video does not.

    Args:
        path: of the file; its suffix picks the format.
        fps: frames a second.
        image: the animated image, (H, W, 3) uint8.
        columns: what is written, in order; "image" stands for the still image and comes with no frames.
    """

    def __init__(self, path: str | Path, fps: float, image: np.ndarray, columns: tuple[str, ...]) -> None:
        self.path, self.image, self.columns = Path(path), image, columns
        self._is_strip = self.path.suffix.lower() == ".png"
        self._kept: dict[str, list[np.ndarray]] = {name: [] for name in columns if name != "image"}
        # Made for a strip too: it refuses other suffixes.
        self._video = VideoWriter(path, fps)
        self._grid = SideBySide(columns, image.shape[:2]) if len(columns) > 1 else None
        self._stack = ExitStack()

    def __enter__(self) -> AnimationWriter:
        if not self._is_strip:
            self._stack.enter_context(self._video)
        return self

    def write(self, frames: dict[str, np.ndarray]) -> None:
        """Add one frame (H, W, 3) uint8 of every column but "image"."""
        if self._is_strip:
            for name, kept in self._kept.items():
                kept.append(frames[name])
            return
        row = [self.image if name == "image" else frames[name] for name in self.columns]
        self._video.write(self._grid.compose(row) if self._grid else row[0])

    def __exit__(self, kind, error, trace) -> None:
        self._stack.__exit__(kind, error, trace)
        if self._is_strip and error is None:
            videos = {name: np.stack(frames) for name, frames in self._kept.items()}
            image = self.image if "image" in self.columns else None
            write_image(self.path, labelled_strips(videos, image, num=STRIP_FRAMES, height=max(96, len(self.image))))
