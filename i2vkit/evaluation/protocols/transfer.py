"""Transfer: the clips of some people move the images of others."""

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
    """Every clip of the driving people moves the first frame of every person in an image (DTGAN, sec. 4.3).

    With six expressions of four people and ten images these are the paper's 240 videos. A person is shown by one
    image, the first frame of their first clip, which in clips from neutral to apex is neutral; ``image_label`` picks
    the first clip of that label instead. Who is driving clip and image video at once is kept: the paper's count needs
    it.

    With ``every_image`` the first frame of every clip of the image people is an image; with ``driving_clips`` that is
    every test image x every driving clip of a list (Dual-MTGAN, sec. IV).

    Args:
        driving_people: whose clips drive: a list, or the name of a split; everyone by default.
        driving_clips: names of the clips that drive, of these people; all by default.
        image_people: who is animated, likewise.
        image_label: label of the clip that shows the person in the image at rest ("neutral"), where there are such
            clips.
        every_image: every clip of the image people (and label) shows an image, not the first of each person alone.
        seed: of the first sample's noise.
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
        """Driving clips in the order of the index, and for each the images in the order they were given."""
        driving_clips = self._driving_records(index)
        images = choose_images(index, self.image_people, self.image_label, self.every_image)
        pairs = [Pair(driving, image) for driving in driving_clips for image in images]
        print_log(f"{len(driving_clips)} driving clips x {len(images)} images", "current")
        return pairs

    def _driving_records(self, index: ClipIndex) -> list[ClipRecord]:
        """The clips that drive, in the order of the index."""
        records = index.select(people=self.driving_people).records
        if self.driving_clips is None:
            return records
        if missing := sorted(set(self.driving_clips) - {record.name for record in records}):
            raise DataError(
                f"{len(missing)} driving clips are not in the data (first: {missing[0]!r}); names "
                f"look like {records[0].name!r}"
            )
        return [record for record in records if record.name in self.driving_clips]
