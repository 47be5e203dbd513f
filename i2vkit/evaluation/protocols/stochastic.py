"""Stochastic: N videos of one image, of which the best is scored and that are compared with each other."""

from __future__ import annotations

from collections.abc import Sequence

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import ConfigError
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Stochastic(Protocol):
    """Every clip's first frame with N motions from the prior, the clip itself being the ground truth (Dual-MTGAN, fig.
    6).

    The samples of an image stand together and have seeds of their own: those of image i are ``seed`` + i N and on.
    Scored are the best of the N, by each metric of the config for itself, and how the N differ (table II).

    Args:
        num_samples: N, 2 or more.
        metrics: what compares the samples of an image; by default ``DiversityL1`` and ``DiversityLpips``.
        seed: of the first sample's noise.

    Raises:
        ConfigError: fewer than two samples.
    """

    def __init__(self, num_samples: int = 25, metrics: Sequence[dict] | None = None, seed: int = 0) -> None:
        super().__init__(seed)
        if num_samples < 2:
            raise ConfigError(f"num_samples is how many videos each image gets, 2 or more, not {num_samples}")
        self.num_samples = num_samples
        self.metrics = self.metrics if metrics is None else metrics

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """N samples a clip, in the order of the index."""
        return [Pair(record, motion="prior") for record in index.records for _ in range(self.num_samples)]
