"""Transfer: the clips of some people move the images of others."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.index import ClipIndex, ClipRecord
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.splits import people_of
from i2vkit.errors import DataError
from i2vkit.evaluation.protocols.base import Protocol, choose_images
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Transfer(Protocol):
    """Every clip of the source people moves the first frame of every target person (DTGAN, sec. 4.3).

    With six expressions of four people and ten targets these are the paper's 240 videos. A target is shown by one
    image, the first frame of their first clip, which in clips from neutral to apex is neutral; ``target_label`` picks
    the first clip of that label instead. Who is source and target at once is kept: the paper's count needs it.

    With ``every_image`` the first frame of every clip of the target people is a target; with ``source_clips`` that is
    every test image x every source clip of a list (Dual-MTGAN, sec. IV).

    Args:
        source_people: whose clips drive: a list, or the name of a split; everyone by default.
        source_clips: names of the clips that drive, of these people; all by default.
        target_people: who is animated, likewise.
        target_label: label of the clip that shows the target at rest ("neutral"), where there are such clips.
        every_image: every clip of the target people (and label) shows an image, not the first of each person alone.
        seed: of the first sample's noise.
    """

    def __init__(
        self,
        source_people: str | Sequence[str] | None = None,
        target_people: str | Sequence[str] | None = None,
        target_label: str | None = None,
        seed: int = 0,
        source_clips: Sequence[str] | None = None,
        every_image: bool = False,
    ) -> None:
        super().__init__(seed)
        self.source_clips, self.every_image = source_clips, every_image
        self.source_people, self.target_people = people_of(source_people), people_of(target_people)
        self.target_label = target_label

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Source clips in the order of the index, and for each the targets in the order they were given."""
        sources = self._sources(index)
        targets = choose_images(index, self.target_people, self.target_label, self.every_image)
        pairs = [Pair(source, target) for source in sources for target in targets]
        print_log(f"{len(sources)} source clips x {len(targets)} targets", "current")
        return pairs

    def _sources(self, index: ClipIndex) -> list[ClipRecord]:
        """The clips that drive, in the order of the index."""
        records = index.select(people=self.source_people).records
        if self.source_clips is None:
            return records
        if missing := sorted(set(self.source_clips) - {record.name for record in records}):
            raise DataError(
                f"{len(missing)} source clips are not in the data (first: {missing[0]!r}); names "
                f"look like {records[0].name!r}"
            )
        return [record for record in records if record.name in self.source_clips]
