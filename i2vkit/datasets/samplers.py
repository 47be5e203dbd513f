"""The sampler that gives the order of the clips."""

import itertools
from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING, cast

import numpy as np
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from i2vkit.registry import DATA_SAMPLERS

if TYPE_CHECKING:
    from i2vkit.datasets.clip_dataset import ClipDataset


@DATA_SAMPLERS.register_module()
class PositionSampler(Sampler):
    """A sampler of ``(index, position)``. The data set draws everything random about a sample from the position.

    For training it never ends. Positions count on, and each pass over the data is a permutation drawn from ``seed`` and
    the number of the pass. With ``batch_size`` samples a rank, the i-th global batch of w ranks is the positions from
    ``i * batch_size * w`` on, and rank r gets the r-th slice of it. So w ranks see what one rank with w times the batch
    sees, in that order. With the default of 1 the global batches hold the same samples, and only the ranks' shares
    alternate.

    The attribute ``start`` is the number of samples that all ranks together have had when iteration begins: ``k *
    batch_size * w`` after k iterations.

    Args:
        dataset: The data set.
        batch_size: Samples of a batch on each rank. Default 1.
        ordered: Go through the data once, with position = index. Ranks take turns and no sample comes twice, so that
            one rank may get one sample more than another. Default False.
        seed: Seed of the permutations. Default 0, also for None.
        keep_images: With ``ordered``, ranks take turns by image. All samples of one image, which share the name of
            their pair and follow each other, come to one rank. Default False.
    """

    def __init__(
        self,
        dataset: Sized,
        batch_size: int = 1,
        ordered: bool = False,
        seed: int | None = 0,
        keep_images: bool = False,
    ):
        self.size = len(dataset)
        self.batch_size = batch_size
        self.ordered = ordered
        self.seed = seed or 0
        self.start = 0
        self.rank, self.world_size = get_dist_info()
        # Each sample is an image of its own unless samples of one image are kept together.
        names: Iterable[str | int] = range(self.size)
        if keep_images:
            names = [pair.name for pair in cast("ClipDataset", dataset).pairs]
        self._turns = [turn for turn, (_, group) in enumerate(itertools.groupby(names)) for _ in group]

    @property
    def indices(self) -> list[int]:
        """Return the samples of this rank when ordered."""
        return [index for index, turn in enumerate(self._turns) if turn % self.world_size == self.rank]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        if self.ordered:
            return ((index, index) for index in self.indices)
        return self._endless()

    def _endless(self) -> Iterator[tuple[int, int]]:
        number, order = -1, np.empty(0, np.int64)
        for count in itertools.count(self.start // self.world_size):
            batch, place = divmod(count, self.batch_size)
            position = (batch * self.world_size + self.rank) * self.batch_size + place
            if position // self.size != number:
                number = position // self.size
                order = np.random.default_rng(np.random.SeedSequence([self.seed, number])).permutation(self.size)
            yield int(order[position % self.size]), position

    def skip(self, num_samples: int) -> None:
        """Begin after ``num_samples`` samples of every rank. The loop of mmengine calls this when it resumes."""
        self.start = num_samples * self.world_size

    def __len__(self) -> int:
        """Return the number of samples of this rank when ordered, and otherwise of the whole data set."""
        return len(self.indices) if self.ordered else self.size
