"""Stochastic: generate N videos of one image, score the best and compare them with each other."""

from __future__ import annotations

from collections.abc import Sequence

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import ConfigError
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Stochastic(Protocol):
    """A protocol that animates every clip's first frame N times with motion from the prior. The clip is the ground
    truth.

    The samples of an image follow each other. Those of image i have the seeds ``seed`` + i N and on. Each metric of the
    config scores the best of the N by its own measure, and the differences between the N are measured.

    Source: Dual-MTGAN, fig. 6 and table II.

    Args:
        num_samples: The number N, 2 or more. By default 25.
        metrics: Metrics that compare the samples of an image. By default ``DiversityL1`` and ``DiversityLpips``.
        seed: The seed of the first sample's noise. By default 0.

    Raises:
        ConfigError: ``num_samples`` is below two.
    """

    def __init__(self, num_samples: int = 25, metrics: Sequence[dict] | None = None, seed: int = 0) -> None:
        super().__init__(seed)
        if num_samples < 2:
            raise ConfigError(f"num_samples is the number of videos of each image, 2 or more, not {num_samples}")
        self.num_samples = num_samples
        self.metrics = self.metrics if metrics is None else metrics

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return N samples for each clip, in the order of the index."""
        return [Pair(record, motion="prior") for record in index.records for _ in range(self.num_samples)]
