"""Writing of an animation: the generated frames, alone or in a grid with the inputs they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from i2vkit.media import Sound, VideoWriter, write_image
from i2vkit.visualization.grids import Grid
from i2vkit.visualization.strips import labelled_strips

STRIP_FRAMES = 12


class AnimationWriter:
    """A context manager that writes an animation frame by frame. The file appears only if the body ends well.

    A video or GIF shows a grid of cells with captions, or plain frames if there is only one cell. A ``.png`` is a strip
    of up to 12 evenly spaced frames with a row for each cell. A strip and a GIF hold their frames in memory until the
    end.

    Args:
        path: The file to write. Its suffix chooses the format.
        fps: Frames per second.
        image: The animated image, uint8 (H, W, 3).
        rows: The captions of the cells, row by row. The cell "image" shows the animated image and receives no frames.
            An empty caption "" leaves its cell empty.
        sound: The sound track, for files that hold sound. By default there is none.
    """

    def __init__(
        self,
        path: str | Path,
        fps: float,
        image: np.ndarray,
        rows: Sequence[Sequence[str]],
        sound: Sound | None = None,
    ) -> None:
        self.path, self.image = Path(path), image
        self._is_strip = self.path.suffix.lower() == ".png"
        cells = [caption for row in rows for caption in row if caption]
        self._kept: dict[str, list[np.ndarray]] = {caption: [] for caption in cells if caption != "image"}
        self._shows_image = "image" in cells
        # A strip needs the writer too, because its constructor refuses unknown suffixes.
        self._video = VideoWriter(path, fps, sound)
        self._grid = Grid(rows, image.shape[:2]) if len(cells) > 1 else None
        self._stack = ExitStack()

    def __enter__(self) -> AnimationWriter:
        if not self._is_strip:
            self._stack.enter_context(self._video)
        return self

    def write(self, frames: dict[str, np.ndarray]) -> None:
        """Add one frame, uint8 (H, W, 3), for every cell but "image", by caption."""
        if self._is_strip:
            for caption, collected in self._kept.items():
                collected.append(frames[caption])
        elif self._grid:
            self._video.write(self._grid.compose({**frames, "image": self.image}))
        else:
            self._video.write(next(frames[caption] for caption in self._kept))

    def __exit__(self, kind, error, trace) -> None:
        self._stack.__exit__(kind, error, trace)
        if self._is_strip and error is None:
            videos = {caption: np.stack(frames) for caption, frames in self._kept.items()}
            image = self.image if self._shows_image else None
            write_image(self.path, labelled_strips(videos, image, num=STRIP_FRAMES, height=max(96, len(self.image))))
