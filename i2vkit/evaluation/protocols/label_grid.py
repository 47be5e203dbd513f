"""Label grid: every label for every image."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.base import Protocol, choose_images
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class LabelGrid(Protocol):
    """Every label moves every test image, with motion drawn from the prior.

    An image is the first frame of a person's first clip; ``image_label`` picks the first clip of that label instead,
    ``every_image`` takes all their clips. Only the clip's own label has a truth, the clip itself: the others are
    generated and looked at, or judged by a classifier. The name of a sample ends in ``+`` and the label.

    Args:
        people: whose images: a list, or the name of a split; everyone by default.
        image_label: label of the clip that shows a person at rest ("neutral"), where there are such clips.
        every_image: every clip of these people (and label) shows an image, not the first of each person alone.
        seed: of the first sample's noise.
    """

    def __init__(
        self,
        people: str | Sequence[str] | None = None,
        image_label: str | None = None,
        every_image: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self.people, self.image_label, self.every_image = people_of(people), image_label, every_image

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Images in their order, and for each the labels in the order of the index.

        Raises:
            DataError: the clips have no labels.
        """
        if not index.labels:
            raise DataError(f"{self.name} asks for every label, and these clips have none")
        images = choose_images(index, self.people, self.image_label, self.every_image)
        print_log(f"{len(images)} images x {len(index.labels)} labels", "current")
        return [Pair(image, motion="prior", label=label) for image in images for label in index.labels]
