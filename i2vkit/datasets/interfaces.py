"""The interfaces of the exchangeable parts of a data set: readers of data on the disk, and samplers of pairs."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from i2vkit.datasets.facts import DataFacts
from i2vkit.interfaces import Interface

if TYPE_CHECKING:
    from i2vkit.datasets.clip_index import ClipIndex
    from i2vkit.datasets.pair_samplers import Pair


class DatasetReader(Interface):
    """A reader of one layout of files on the disk. Registered in ``READERS``.

    A reader of ground truth also needs ``root``, the folder of its clips.

    Examples:
        >>> from i2vkit.datasets.clip_index import ClipIndex
        >>> from i2vkit.datasets.interfaces import DatasetReader
        >>> class Nothing(DatasetReader):
        ...     def index(self):
        ...         return ClipIndex([], labels=["wave"], skipped=[("a.mp4", "an empty file")])
        >>> Nothing().index().labels
        ['wave']
    """

    optional: ClassVar[tuple[str, ...]] = ("facts",)

    def facts(self) -> DataFacts:
        """Return the labels and the frames a second as far as they are known without looking at clips.

        A model that leaves them out of its config takes them from here. A reader may look them up in an index on the
        disk, but must not fail where there are no data. By default neither is known.
        """
        return DataFacts()

    @abstractmethod
    def index(self) -> ClipIndex:
        """List the clips, the labels in the order of their class indices, and the skipped clips with their reasons.

        Raises:
            DataError: There are no clips, or files that should be there are not.
        """


class PairSampler(Interface):
    """A sampler that chooses which clip drives which image. Registered in ``PAIR_SAMPLERS``.

    A sampler may draw the image video again for every sample. It then leaves the image video of ``pairs`` open and also
    has ``draw(pair, index, rng) -> Pair``, which fills it in. ``rng`` is a numpy generator that the sample seeds.

    Examples:
        >>> from i2vkit.datasets.interfaces import PairSampler
        >>> from i2vkit.datasets.pair_samplers import Pair
        >>> class FirstClipOnly(PairSampler):
        ...     def pairs(self, index):
        ...         return [Pair(index.records[0])]
    """

    @abstractmethod
    def pairs(self, index: ClipIndex) -> list[Pair]:
        """List the pairs of one epoch in a fixed order.

        Raises:
            DataError: The index lacks something that the sampler needs.
        """
