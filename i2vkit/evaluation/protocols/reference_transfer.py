"""Reference transfer: one randomly drawn clip of each label drives everyone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.transfer import Transfer
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class ReferenceTransfer(Transfer):
    """A protocol in which one random clip of each label drives the first frame of every person in an image.

    Source: FRGAN, sec. 4.2.

    Args:
        driving_people: The people whose clips may be drawn: a list, or the name of a split. By default everyone.
        image_people: The people who are animated, in the same form. By default everyone.
        image_label: The label of clips that show the person in the image at rest ("neutral"), if there are such clips.
            By default none.
        seed: The seed of the first sample's noise. By default 0.
        draw: The seed of the choice of clips. By default 0.
    """

    def __init__(
        self,
        driving_people: str | Sequence[str] | None = None,
        image_people: str | Sequence[str] | None = None,
        image_label: str | None = None,
        seed: int = 0,
        draw: int = 0,
    ) -> None:
        super().__init__(driving_people, image_people, image_label, seed)
        self.choice = draw  # not self.draw, since that is a method of pair samplers

    def _driving_records(self, index: ClipIndex) -> list[ClipRecord]:
        """Return one clip for each label, in the order of the labels. Labels without clips are left out.

        Raises:
            DataError: The clips have no labels.
        """
        records, rng = super()._driving_records(index), np.random.default_rng(self.choice)
        by_label = [[record for record in records if record.label == label] for label in index.labels]
        if not any(by_label):
            raise DataError(f"{self.name} draws a clip of each label, but these clips have no labels: use Transfer")
        return [clips[rng.integers(len(clips))] for clips in by_label if clips]
