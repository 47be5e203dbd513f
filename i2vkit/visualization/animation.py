"""The file of an animation: the generated frames, alone or beside what they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from i2vkit.media import VideoWriter, write_image
from i2vkit.visualization.grids import Grid
from i2vkit.visualization.strips import labelled_strips

STRIP_FRAMES = 12


class AnimationWriter:
    """Writes an animation frame by frame; a context manager, and the file is there only once the body ended well.

    Videos and GIFs show a grid of cells under their captions, or the frames as they are where one cell stands alone.
    ``.png`` is a strip of up to 12 frames, evenly spread, with a row for each cell; a strip and a GIF hold their frames
    until the end, a video does not.

    Args:
        path: of the file; its suffix picks the format.
        fps: frames a second.
        image: the animated image, (H, W, 3) uint8.
        rows: captions of the cells, row by row; "image" stands for the still image and comes with no frames, "" leaves
            a cell empty.
    """

    def __init__(self, path: str | Path, fps: float, image: np.ndarray, rows: Sequence[Sequence[str]]) -> None:
        self.path, self.image = Path(path), image
        self._is_strip = self.path.suffix.lower() == ".png"
        cells = [caption for row in rows for caption in row if caption]
        self._kept: dict[str, list[np.ndarray]] = {caption: [] for caption in cells if caption != "image"}
        self._shows_image = "image" in cells
        # Made for a strip too: it refuses other suffixes.
        self._video = VideoWriter(path, fps)
        self._grid = Grid(rows, image.shape[:2]) if len(cells) > 1 else None
        self._stack = ExitStack()

    def __enter__(self) -> AnimationWriter:
        if not self._is_strip:
            self._stack.enter_context(self._video)
        return self

    def write(self, frames: dict[str, np.ndarray]) -> None:
        """Add one frame (H, W, 3) uint8 of every cell but "image", by caption."""
        if self._is_strip:
            for caption, kept in self._kept.items():
                kept.append(frames[caption])
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
