"""Grids that show several videos at once, frame by frame, with captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from i2vkit.visualization.typography import blank, fit, text_box

GAP = 4
CAPTION = 24
CELL = 256
WHOLE = (1120, 1536)  # approximate limits of a grid, height and width: more rows or columns make cells smaller
WANTED_RATIO = 1.6  # columns to rows


def wrap_captions(captions: Sequence[str]) -> list[list[str]]:
    """Arrange ``captions`` in the rows of a grid, from left to right.

    The number of columns leaves as few cells empty as possible, and then makes the grid wider than high. Empty cells
    get the caption "".

    Examples:
        >>> from i2vkit.visualization.grids import wrap_captions
        >>> wrap_captions("abcdefg")
        [['a', 'b', 'c', 'd'], ['e', 'f', 'g', '']]
    """
    number = len(captions)
    least = max(1, round(np.ceil(np.sqrt(number))))
    # -(-a // b) rounds up, and -a % b is the number of cells that a last row of b cells leaves empty.
    columns = min(
        range(least, min(number, 2 * least) + 1),
        key=lambda c: (-number % c, abs(c / -(-number // c) - WANTED_RATIO)),
    )
    filled = [*captions, *[""] * (-number % columns)]
    return [filled[start : start + columns] for start in range(0, len(filled), columns)]


class Grid:
    """A composer that arranges the frames of several videos into the frames of one video. It draws captions once.

    Args:
        rows: Captions, in rows of equal length. An empty caption "" leaves its cell empty.
        size: The size (H, W) in pixels of the frames that it receives.
        height: The height of a cell in pixels. Frames of another size are resized to it (bicubic). By default 256, or
            less if there are many rows or columns, but never less than the frames have.
    """

    def __init__(self, rows: Sequence[Sequence[str]], size: tuple[int, int], height: int | None = None) -> None:
        self.height = height or max(size[0], min(CELL, WHOLE[0] // len(rows), WHOLE[1] // len(rows[0])))
        self.width = round(self.height * size[1] / size[0])
        self._rows = rows
        self._captions = [
            self._row([text_box(text, CAPTION, self.width, align="center") for text in row]) for row in rows
        ]

    def compose(self, frames: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the grid, uint8 (H, W, 3), of one frame for every caption.

        Args:
            frames: One frame, uint8 (H, W, 3), for every caption.

        Raises:
            KeyError: A caption has no frame.
        """
        empty = blank(self.height, self.width)
        rows = [
            self._row([fit(frames[caption], self.height, self.width) if caption else empty for caption in row])
            for row in self._rows
        ]
        # Captions and frames alternate from top to bottom.
        return np.concatenate([part for pair in zip(self._captions, rows, strict=True) for part in pair])

    @staticmethod
    def _row(cells: list[np.ndarray]) -> np.ndarray:
        """Join cells (H, W, 3) from left to right, with a gap between them."""
        gap = blank(len(cells[0]), GAP)
        return np.concatenate([part for cell in cells for part in (gap, cell)][1:], axis=1)  # no gap on the left
