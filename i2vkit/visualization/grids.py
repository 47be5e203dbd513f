"""Videos beside one another, frame by frame, under their captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from i2vkit.visualization.typography import blank, fit, text_box

GAP = 4
CAPTION = 24


class SideBySide:
    """Composes frames of several videos into frames of one video; the captions are drawn once.

    Args:
        captions: one a column.
        size: of the frames as they come, (H, W) in pixels.
        height: of a column in the picture; frames smaller or larger are resized to it (bicubic).
    """

    def __init__(self, captions: Sequence[str], size: tuple[int, int], height: int = 256) -> None:
        self.height, self.width = height, round(height * size[1] / size[0])
        self._captions = self._row([text_box(text, CAPTION, self.width, align="center") for text in captions])
        self._columns = len(captions)

    def compose(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """One frame a column, uint8 (H, W, 3) each -> one frame, uint8.

        Raises:
            ValueError: not as many frames as captions.
        """
        if len(frames) != self._columns:
            raise ValueError(f"{self._columns} captions but {len(frames)} frames")
        row = self._row([fit(frame, self.height, self.width) for frame in frames])
        return np.concatenate([self._captions, row])

    @staticmethod
    def _row(cells: list[np.ndarray]) -> np.ndarray:
        gap = blank(len(cells[0]), GAP)
        return np.concatenate([part for cell in cells for part in (gap, cell)][1:], axis=1)
