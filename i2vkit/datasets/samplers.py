"""The order in which clips come."""

import itertools
from collections.abc import Iterator, Sized

import numpy as np
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from i2vkit.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class PositionSampler(Sampler):
    """Yields ``(index, position)``, from which the data set draws everything random about a sample.

    For training it never ends: positions count on, and each pass over the data is a permutation drawn from ``seed`` and
    the number of the pass. With ``batch_size`` samples a rank, the i-th global batch of w ranks is the positions from
    ``i * batch_size * w`` on, and rank r gets the r-th slice of it, so that w ranks see what one rank with w times the
    batch sees, in that order. With the default of 1 the global batches hold the same samples, only the ranks' shares
    alternate.

    ``start`` is how many samples all ranks together have had when iteration begins: ``k * batch_size * w`` after k
    iterations.

    With ``ordered`` it goes through the data once, position = index, ranks taking turns; none comes twice, so that one
    rank may get one sample more than another. With ``keep_images`` too, the turns go by images: samples of one image,
    which share the name of their pair and stand together, come to one rank.
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
        names = [pair.name for pair in dataset.pairs] if keep_images else range(self.size)
        self._turns = [turn for turn, (_, group) in enumerate(itertools.groupby(names)) for _ in group]

    @property
    def indices(self) -> list[int]:
        """The samples of this rank when ordered."""
        return [index for index, turn in enumerate(self._turns) if turn % self.world_size == self.rank]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        if self.ordered:
            return ((index, index) for index in self.indices)
        return self._endless()

    def _endless(self) -> Iterator[tuple[int, int]]:
        number, order = -1, np.empty(0)
        for count in itertools.count(self.start // self.world_size):
            batch, place = divmod(count, self.batch_size)
            position = (batch * self.world_size + self.rank) * self.batch_size + place
            if position // self.size != number:
                number = position // self.size
                order = np.random.default_rng(np.random.SeedSequence([self.seed, number])).permutation(self.size)
            yield int(order[position % self.size]), position

    def skip(self, num_samples: int) -> None:
        """Begin after ``num_samples`` samples of every rank; mmengine's loop calls this when it resumes."""
        self.start = num_samples * self.world_size

    def __len__(self) -> int:
        """Samples of this rank when ordered, else of the whole data set."""
        return len(self.indices) if self.ordered else self.size
