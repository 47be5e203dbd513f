"""The one data set: clips of a layout, paired, and sent through transforms."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from i2vkit.datasets.index import ClipRecord
from i2vkit.datasets.pairing import Pair, SameClip
from i2vkit.datasets.splits import people_of
from i2vkit.datasets.takes import FrameCache, Take
from i2vkit.datasets.transforms.sampling import Sampling
from i2vkit.registry import DATASETS, LAYOUTS, PAIRINGS, TRANSFORMS

# Bytes of decoded frames that are kept, shared out over the workers: 500 clips of 20 frames of 128x128 are half of it.
CACHE_BUDGET = 2**30


@DATASETS.register_module()
class ClipDataset(Dataset):
    """Samples of the clips that ``layout`` finds.

    ``people`` and ``exclude_people`` are people or the name of a split (``splits.SPLITS``); with ``labels`` they choose
    clips. ``pairing`` says which clip drives whom (each clip itself by default). ``truth`` is a layout of clips named
    ".../as_<source person>", of the target's person with the source's label: what the target would do, exactly, where
    that is known (rendered data); it may be missing. Clips of less than ``min_frames`` frames are skipped.

    ``dataset[index, position]`` draws everything random from ``[seed, position]``, so a sample is the same whoever
    makes it and whenever; ``dataset[index]`` takes the index for the position. ``cache`` keeps decoded clips in memory
    up to ``CACHE_BUDGET`` bytes.

    Raises ``DataError`` if nothing is found, nothing is left, or a clip is too short for the pipeline.
    """

    def __init__(
        self,
        layout: dict,
        pipeline: Sequence[dict | Callable],
        people: str | Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        exclude_people: str | Sequence[str] | None = None,
        pairing: dict | None = None,
        truth: dict | None = None,
        min_frames: int = 1,
        seed: int = 0,
        cache: bool = True,
    ):
        self.seed = seed
        everything = _build(LAYOUTS, layout).index()
        self.index = everything.select(people_of(people), labels, people_of(exclude_people), min_frames)
        self.pairing = SameClip() if pairing is None else _build(PAIRINGS, pairing)
        self.truths = {} if truth is None else _truths(_build(LAYOUTS, truth))
        self.pairs = [self._with_truth(pair) for pair in self.pairing.pairs(self.index)]
        self.pipeline = [_build(TRANSFORMS, transform) for transform in pipeline]
        self._check_lengths()
        self._cache = FrameCache(CACHE_BUDGET if cache else 0)
        print_log(self.index.summary(), logger="current")
        absent = sorted(set(people_of(people) or []) - set(everything.people))
        if absent:
            print_log(f"of the people asked for {len(absent)} have no clips: {', '.join(absent)}", logger="current")

    @property
    def records(self) -> list[ClipRecord]:
        """The clips in use."""
        return self.index.records

    @property
    def labels(self) -> list[str]:
        """Names of the labels; their order is the class index."""
        return self.index.labels

    @property
    def metainfo(self) -> dict:
        """What mmengine hands to the visualizer and the metrics."""
        return {"labels": list(self.labels)}

    def full_init(self) -> None:
        """Do nothing: the index is read when the data set is built (mmengine calls this)."""

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, key: int | tuple[int, int]) -> dict:
        """Make the sample of pair ``index`` with the random draws of ``position``, given as one or both."""
        index, position = key if isinstance(key, tuple) else (key, key)
        rng = np.random.default_rng([self.seed, position])
        pair = self.pairs[index]
        if hasattr(self.pairing, "draw"):
            pair = self._with_truth(self.pairing.draw(pair, self.index, rng))
        takes = {
            name: Take(record)
            for name, record in (("source", pair.source), ("target", pair.target), ("truth", pair.truth))
            if record is not None
        }
        sample = {"rng": rng, "pair": pair, "takes": takes, "labels": self.labels, "cache": self._cache}
        sample["protocol"] = getattr(self.pairing, "name", type(self.pairing).__name__)
        for transform in self.pipeline:
            sample = transform(sample)
        return sample

    def _check_lengths(self) -> None:
        """Raise ``DataError`` now if the pipeline cannot use a clip."""
        used = {record.name: record for pair in self.pairs for record in (pair.source, pair.target) if record}
        for transform in self.pipeline:
            if isinstance(transform, Sampling):
                for record in used.values():
                    transform.check(record)

    def _with_truth(self, pair: Pair) -> Pair:
        """Fill in the exact truth where it is known; a pair without a target needs none, it is its own truth."""
        if pair.target is None or pair.truth is not None:
            return pair
        if pair.target.name == pair.source.name:
            return replace(pair, truth=pair.source)
        return replace(pair, truth=self.truths.get((pair.target.person, pair.source.label, pair.source.person)))


def _build(registry, config):
    """Build a part from its config; one that was built already stays as it is."""
    return registry.build(config) if isinstance(config, dict) else config


def _truths(layout) -> dict[tuple[str, str | None, str], ClipRecord]:
    """Index exact truths by (target person, label, source person); none if the data set has none."""
    root = Path(layout.root)
    if not root.exists():
        print_log(f"no exact truth in {root}: transfers are scored without", logger="current")
        return {}
    return {(record.person, record.label, record.name.split("/as_")[-1]): record for record in layout.index().records}
