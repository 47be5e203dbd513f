"""Forecast: continue clips from one of their frames, by true or forecast poses."""

from __future__ import annotations

from typing import Literal

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols.base import Protocol, restrict_frames, use_maps
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Forecast(Protocol):
    """A protocol that continues every clip from one of its frames, by true or forecast poses. The clip is the ground
    truth.

    The paper's "GT" starts at the first frame with true poses. Forecast poses need ten poses that the LSTM has seen.
    The last of these is the start: ``start=9``. Clips that are too short are left out, and the log says how many.

    Source: FRGAN, sec. 4.3.

    Args:
        poses: "true", or "forecast" for the maps in ``record.metadata["forecast"]``, which ``tools/forecast_poses.py``
            writes. By default "true".
        start: The frame that is animated, counted from 0. By default 0.
        length: The number of frames that are needed from there on, including the start. By default 32.
        seed: The seed of the first sample's noise. By default 0.

    Raises:
        ConfigError: ``poses`` is unknown, ``start`` is negative, or ``length`` is below two.
    """

    def __init__(
        self, poses: Literal["true", "forecast"] = "true", start: int = 0, length: int = 32, seed: int = 0
    ) -> None:
        super().__init__(seed)
        if poses not in ("true", "forecast") or start < 0 or length < 2:
            raise ConfigError(
                f'Forecast takes poses "true" or "forecast", start 0 or more and length 2 or more; got {poses!r}, '
                f"{start}, {length}"
            )
        self.poses, self.start, self.length = poses, start, length

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return one sample for each clip, in the order of the index.

        Raises:
            DataError: No clip is long enough, or one has no forecast.
        """
        stop = self.start + self.length
        long_enough = [record for record in index.records if record.num_frames >= stop]
        if not long_enough:
            raise DataError(f"no clip has the {stop} frames that {self.name} needs")
        if short := len(index.records) - len(long_enough):
            print_log(f"{short} clips have fewer than {stop} frames: left out", "current")
        pairs = [restrict_frames(Pair(record), self.start, stop) for record in long_enough]
        return pairs if self.poses == "true" else [use_maps(pair, self.poses) for pair in pairs]
