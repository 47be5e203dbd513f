"""Videos beside and below one another, frame by frame, under their captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from i2vkit.visualization.typography import blank, fit, text_box

GAP = 4
CAPTION = 24
CELL = 256
WHOLE = (1120, 1536)  # height and width of a grid, about: cells of many rows or columns are smaller
WANTED_RATIO = 1.6  # columns to rows


def wrap_captions(captions: Sequence[str]) -> list[list[str]]:
    """The rows of a grid of ``captions``, from left to right: few empty cells first, then wider than high.

    Examples:
        >>> from i2vkit.visualization.grids import wrap_captions
        >>> wrap_captions("abcdefg")
        [['a', 'b', 'c', 'd'], ['e', 'f', 'g', '']]
    """
    number = len(captions)
    least = max(1, round(np.ceil(np.sqrt(number))))
    columns = min(
        range(least, min(number, 2 * least) + 1),
        key=lambda c: (-number % c, abs(c / -(-number // c) - WANTED_RATIO)),
    )
    filled = [*captions, *[""] * (-number % columns)]
    return [filled[start : start + columns] for start in range(0, len(filled), columns)]


class Grid:
    """Composes frames of several videos into frames of one video; the captions are drawn once.

    Args:
        rows: of captions, all of one length; "" leaves a cell empty.
        size: of the frames as they come, (H, W) in pixels.
        height: of a cell in the picture; frames smaller or larger are resized to it (bicubic). By default 256 pixels,
            less where there are many rows or columns, and never less than the frames have.
    """

    def __init__(self, rows: Sequence[Sequence[str]], size: tuple[int, int], height: int | None = None) -> None:
        self.height = height or max(size[0], min(CELL, WHOLE[0] // len(rows), WHOLE[1] // len(rows[0])))
        self.width = round(self.height * size[1] / size[0])
        self._rows = rows
        self._captions = [
            self._row([text_box(text, CAPTION, self.width, align="center") for text in row]) for row in rows
        ]

    def compose(self, frames: Mapping[str, np.ndarray]) -> np.ndarray:
        """A frame (H, W, 3) uint8 of every video, by caption -> one frame, uint8.

        Raises:
            KeyError: a caption without a frame.
        """
        empty = blank(self.height, self.width)
        rows = [
            self._row([fit(frames[caption], self.height, self.width) if caption else empty for caption in row])
            for row in self._rows
        ]
        return np.concatenate([part for pair in zip(self._captions, rows, strict=True) for part in pair])

    @staticmethod
    def _row(cells: list[np.ndarray]) -> np.ndarray:
        gap = blank(len(cells[0]), GAP)
        return np.concatenate([part for cell in cells for part in (gap, cell)][1:], axis=1)
