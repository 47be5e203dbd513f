"""Lines of source that are written one after the other."""

from __future__ import annotations

import textwrap

from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class Lines:
    """Lines of a method of a model that is written as source.

    Args:
        model: The model.

    Attributes:
        helpers: Names of the functions of ``HELPERS`` and ``IMPORTS`` that the lines use.
    """

    def __init__(self, model: ImageToVideoGan):
        self.model = model
        self.helpers: set[str] = set()
        self._lines: list[str] = []
        self._depth = 4  # spaces before every line

    def _say(self, text: str, indent: int) -> None:
        """Add a line. A long comment becomes several lines."""
        pad = " " * (self._depth + indent)
        if text.startswith("# "):
            self._lines += [f"{pad}# {line}" for line in textwrap.wrap(text[2:], 118 - len(pad))]
        elif text or not indent:
            self._lines.append((pad + text).rstrip())

    def _use(self, helper: str) -> str:
        self.helpers.add(helper)
        return helper
