from itertools import chain, islice
from types import SimpleNamespace

import numpy as np
import pytest

from i2vkit.datasets import PositionSampler


def sampler(rank=0, world_size=1, size=10, **arguments):
    made = PositionSampler(range(size), **arguments)
    made.rank, made.world_size = rank, world_size
    return made


def batches(made, batch_size, count):
    stream = iter(made)
    return [list(islice(stream, batch_size)) for _ in range(count)]


def test_every_pass_is_a_permutation_of_its_own():
    stream = list(islice(sampler(), 30))
    assert [position for _, position in stream] == list(range(30))
    passes = [[index for index, _ in stream[start : start + 10]] for start in (0, 10, 20)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert passes[0] != passes[1] != passes[2]
    expected = np.random.default_rng(np.random.SeedSequence([0, 1])).permutation(10)
    assert passes[1] == expected.tolist()


def test_seeds_differ_and_repeat():
    assert list(islice(sampler(seed=1), 10)) == list(islice(sampler(seed=1), 10))
    assert list(islice(sampler(seed=1), 10)) != list(islice(sampler(seed=2), 10))
    assert list(islice(sampler(seed=None), 10)) == list(islice(sampler(seed=0), 10))


@pytest.mark.parametrize("size", [3, 10])
def test_two_ranks_see_the_global_batches_of_one(size):
    one = batches(sampler(size=size, batch_size=4), 4, 6)
    first, second = (batches(sampler(rank, 2, size=size, batch_size=2), 2, 6) for rank in (0, 1))
    assert [a + b for a, b in zip(first, second, strict=True)] == one


def test_without_a_batch_size_the_global_batches_hold_the_same_samples():
    one = batches(sampler(), 4, 6)
    first, second = (batches(sampler(rank, 2), 2, 6) for rank in (0, 1))
    assert [sorted(a + b) for a, b in zip(first, second, strict=True)] == [sorted(batch) for batch in one]


@pytest.mark.parametrize("world_size", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_it_continues_where_it_was(world_size, batch_size):
    for rank in range(world_size):
        through = batches(sampler(rank, world_size, batch_size=batch_size), 2, 12)
        resumed = sampler(rank, world_size, batch_size=batch_size)
        resumed.skip(7 * 2)
        assert batches(resumed, 2, 5) == through[7:]
        started = sampler(rank, world_size, batch_size=batch_size)
        started.start = 7 * 2 * world_size
        assert batches(started, 2, 5) == through[7:]


def test_ordered_goes_through_once_and_ranks_share_without_duplicates():
    assert list(sampler(ordered=True)) == [(index, index) for index in range(10)]
    parts = [list(sampler(rank, 3, ordered=True)) for rank in range(3)]
    assert sorted(chain(*parts)) == [(index, index) for index in range(10)]
    assert [len(part) for part in parts] == [4, 3, 3] == [len(sampler(rank, 3, ordered=True)) for rank in range(3)]


class Pairs:
    """Stands for a data set of pairs with these names."""

    def __init__(self, names):
        self.pairs = [SimpleNamespace(name=name) for name in names]

    def __len__(self):
        return len(self.pairs)


def test_samples_of_an_image_can_come_to_one_rank():
    names = ["a", "a", "b", "b", "b", "c", "d", "d"]
    parts = []
    for rank in range(2):
        made = PositionSampler(Pairs(names), ordered=True, keep_images=True)
        made.rank, made.world_size = rank, 2
        parts.append(list(made))
        assert len(made) == len(parts[rank]) and made.indices == [index for index, _ in parts[rank]]
    assert [[names[index] for index, _ in part] for part in parts] == [["a", "a", "c"], ["b", "b", "b", "d", "d"]]
