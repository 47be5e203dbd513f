"""Reference transfer: one clip a label, drawn once, moves everyone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.transfer import Transfer
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class ReferenceTransfer(Transfer):
    """For each label one clip, drawn at random, moves the first frame of every person in an image (FRGAN, sec. 4.2).

    Args:
        driving_people: whose clips may be drawn: a list, or the name of a split; everyone by default.
        image_people: who is animated, likewise.
        image_label: label of the clip that shows the person in the image at rest ("neutral"), where there are such
            clips.
        seed: of the first sample's noise.
        draw: seed of the choice of clips.
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
        self.choice = draw  # a pair sampler has a method "draw"

    def _driving_records(self, index: ClipIndex) -> list[ClipRecord]:
        """One clip a label, in the order of the labels; those of which nobody has a clip are left out.

        Raises:
            DataError: the clips have no labels.
        """
        records, rng = super()._driving_records(index), np.random.default_rng(self.choice)
        by_label = [[record for record in records if record.label == label] for label in index.labels]
        if not any(by_label):
            raise DataError(f"{self.name} draws a clip a label, and these clips have none: take Transfer")
        return [clips[rng.integers(len(clips))] for clips in by_label if clips]
