"""The interfaces of what a data set is made of: readers of data on the disk, and samplers of pairs."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from i2vkit.datasets.facts import DataFacts
from i2vkit.interfaces import Interface

if TYPE_CHECKING:
    from i2vkit.datasets.clip_index import ClipIndex
    from i2vkit.datasets.pair_samplers import Pair


class DatasetReader(Interface):
    """Reads a data set as it lies on the disk. Registered in ``READERS``.

    A reader whose clips are looked up as ground truth also has ``root``, the folder that holds them.

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
        """Return labels and frames a second as far as they are known without looking at clips; by default neither is.

        A model that leaves them out of its config takes them from here. A reader may look them up in an index on the
        disk, but must not fail where there are no data.
        """
        return DataFacts()

    @abstractmethod
    def index(self) -> ClipIndex:
        """List the clips, the labels in the order of their class indices, and what was skipped with the reason.

        Raises:
            DataError: there are no clips, or files that should be there are not.
        """


class PairSampler(Interface):
    """Chooses which clip drives which image. Registered in ``PAIR_SAMPLERS``.

    A sampler that picks the image video anew for every sample leaves it open in ``pairs`` and also has
    ``draw(pair, index, rng) -> Pair``, which fills it in. ``rng`` is a numpy generator, seeded by the sample.

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
            DataError: the index lacks what the sampler asks for.
        """
