"""Transfer: the clips of some people drive the images of others."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.base import Protocol, choose_images
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Transfer(Protocol):
    """A protocol in which every clip of the driving people drives the first frame of every person in an image.

    With six expressions of four people and ten images these are the paper's 240 videos. The image of a person is the
    first frame of their first clip, which is neutral in clips from neutral to apex. ``image_label`` takes the first
    clip with that label instead. Pairs of a person with themselves are kept, since the paper's count includes them.

    With ``every_image`` the first frame of every clip of the image people is an image. Together with ``driving_clips``
    that gives every test image with every driving clip of a list, as the second of the two papers does.

    Source: DTGAN, sec. 4.3; Dual-MTGAN, sec. IV.

    Args:
        driving_people: The people whose clips drive: a list, or the name of a split. By default everyone.
        image_people: The people who are animated, in the same form. By default everyone.
        image_label: The label of clips that show the person in the image at rest ("neutral"), if there are such clips.
            By default none.
        seed: The seed of the first sample's noise. By default 0.
        driving_clips: The names of the clips of these people that drive. By default all.
        every_image: Animate the first frame of every clip of the image people (and label), not only of the first clip.
    """

    def __init__(
        self,
        driving_people: str | Sequence[str] | None = None,
        image_people: str | Sequence[str] | None = None,
        image_label: str | None = None,
        seed: int = 0,
        driving_clips: Sequence[str] | None = None,
        every_image: bool = False,
    ) -> None:
        super().__init__(seed)
        self.driving_clips, self.every_image = driving_clips, every_image
        self.driving_people, self.image_people = people_of(driving_people), people_of(image_people)
        self.image_label = image_label

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return driving clips in the order of the index, and for each the images in their order."""
        driving_clips = self._driving_records(index)
        images = choose_images(index, self.image_people, self.image_label, self.every_image)
        pairs = [Pair(driving, image) for driving in driving_clips for image in images]
        print_log(f"{len(driving_clips)} driving clips x {len(images)} images", "current")
        return pairs

    def _driving_records(self, index: ClipIndex) -> list[ClipRecord]:
        """Return the clips that drive, in the order of the index."""
        records = index.select(people=self.driving_people).records
        if self.driving_clips is None:
            return records
        if missing := sorted(set(self.driving_clips) - {record.name for record in records}):
            raise DataError(
                f"{len(missing)} driving clips are not in the data (first: {missing[0]!r}); names "
                f"look like {records[0].name!r}"
            )
        return [record for record in records if record.name in self.driving_clips]
