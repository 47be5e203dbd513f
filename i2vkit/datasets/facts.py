"""Facts that a data set states about itself, so that a model's config need not repeat them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAMES = ("labels", "image_size", "map_channels", "fps")


def facts_of_model(model: Any) -> dict[str, Any]:
    """Return the facts of its data that a model was built with, by name, as plain values."""
    values = {name: getattr(model, name, None) for name in NAMES}
    return {name: list(value) if name == "labels" else value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class DataFacts:
    """Facts of a data set that are known before a clip is read. None means that a fact is not known.

    Args:
        labels: Names of the classes in the order of their indices. An empty tuple means that there are none.
        image_size: Side of the frames that a model gets, in pixels.
        map_channels: Number of condition maps a frame.
        fps: Frames a second of the clips.
        framing: The crop of faces in its frames, "eyes" or "box", or "box" and its margin, as in "box 0.3".
    """

    labels: tuple[str, ...] | None = None
    image_size: int | None = None
    map_channels: int | None = None
    fps: float | None = None
    framing: str | None = None

    def known(self) -> dict[str, Any]:
        """Return the facts that are known, by name, as a config holds them.

        >>> DataFacts(labels=("run", "wave"), image_size=64).known()
        {'labels': ['run', 'wave'], 'image_size': 64}
        """
        values = {name: value for name, value in vars(self).items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
