"""Continuation: generate what follows several observed frames."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols.base import Protocol, restrict_frames
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Continuation(Protocol):
    """A protocol that gives the first ``observed`` frames of every clip and generates those that follow.

    The clip is the ground truth. The model must make each frame from the frame before. Its videos begin at the last
    observed frame: only frames behind it are scored, and the static baseline repeats it. With several samples each
    metric scores the best of them, as in ``Stochastic``. Clips with fewer than ``length`` frames are left out, and the
    log says how many there are.

    Source: the published settings of video prediction, for instance 2 observed and 28 generated frames of BAIR, and 10
    and 20 of KTH, 100 samples each (Denton and Fergus, 2018).

    Args:
        observed: The number of frames that are given. By default 2.
        length: The number of frames in all, the observed ones included. By default 30.
        num_samples: The number of videos of each clip. By default 1.
        metrics: Metrics that compare several samples of a clip, as of ``Stochastic``.
        seed: The seed of the first sample's noise. By default 0.

    Raises:
        ConfigError: There is nothing to generate behind the observed frames.
    """

    def __init__(
        self,
        observed: int = 2,
        length: int = 30,
        num_samples: int = 1,
        metrics: Sequence[dict] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        if length <= observed:
            raise ConfigError(f"Continuation takes a length above observed; got length={length}, observed={observed}")
        self.observed, self.length, self.num_samples = observed, length, num_samples
        self.metrics = self.metrics if metrics is None else metrics

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return the samples of each clip one after the other, in the order of the index.

        Raises:
            DataError: No clip is long enough.
        """
        long = [record for record in index.records if record.num_frames >= self.length]
        if not long:
            raise DataError(f"no clip has the {self.length} frames that {self.name} needs")
        if len(long) < len(index.records):
            print_log(f"{len(index.records) - len(long)} clips have fewer than {self.length} frames", "current")
        return [
            restrict_frames(Pair(record, motion="prior", observed=self.observed), 0, self.length)
            for record in long
            for _ in range(self.num_samples)
        ]
