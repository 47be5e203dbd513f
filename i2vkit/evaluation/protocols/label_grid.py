"""Label grid: animate every image by every label."""

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
    """A protocol that animates every test image by every label, with motion drawn from the prior.

    An image is the first frame of a person's first clip. ``image_label`` takes the first clip with that label instead,
    and ``every_image`` takes all their clips. Only the clip's own label has a truth, the clip itself. Videos of the
    other labels are generated to be looked at, or to be judged by a classifier. The name of a sample ends in ``+`` and
    the label.

    Args:
        people: The people whose images are animated: a list, or the name of a split. By default everyone.
        image_label: The label of clips that show a person at rest ("neutral"), if there are such clips. By default
            none.
        every_image: Animate the first frame of every clip of these people (and label), not only of the first clip.
        seed: The seed of the first sample's noise. By default 0.
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
        """Return the images in their order, and for each the labels in the order of the index.

        Raises:
            DataError: The clips have no labels.
        """
        if not index.labels:
            raise DataError(f"{self.name} needs labels, but these clips have none")
        images = choose_images(index, self.people, self.image_label, self.every_image)
        print_log(f"{len(images)} images x {len(index.labels)} labels", "current")
        return [Pair(image, motion="prior", label=label) for image in images for label in index.labels]
