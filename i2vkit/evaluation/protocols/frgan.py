"""The protocols of FRGAN that are more than a choice of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from mmengine.logging import print_log

from i2vkit.datasets.index import ClipIndex, ClipRecord, FrameSpan
from i2vkit.datasets.pairing import Pair
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.evaluation.protocols.pairings import Transfer
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class ReferenceTransfer(Transfer):
    """For each label one clip, drawn at random, moves the first frame of every target person (FRGAN, sec. 4.2).

    Args:
        source_people: whose clips may be drawn: a list, or the name of a split; everyone by default.
        target_people: who is animated, likewise.
        target_label: label of the clip that shows the target at rest ("neutral"), where there are such clips.
        seed: of the first sample's noise.
        draw: seed of the choice of clips.
    """

    def __init__(
        self,
        source_people: str | Sequence[str] | None = None,
        target_people: str | Sequence[str] | None = None,
        target_label: str | None = None,
        seed: int = 0,
        draw: int = 0,
    ) -> None:
        super().__init__(source_people, target_people, target_label, seed)
        self.draw = draw

    def _sources(self, index: ClipIndex) -> list[ClipRecord]:
        """One clip a label, in the order of the labels; those of which nobody has a clip are left out."""
        records, rng = super()._sources(index), np.random.default_rng(self.draw)
        by_label = [[record for record in records if record.label == label] for label in index.labels]
        return [clips[rng.integers(len(clips))] for clips in by_label if clips]


@PROTOCOLS.register_module()
class Forecast(Protocol):
    """Every clip from one of its frames on, by the poses that really follow or by those that were forecast (FRGAN,
    sec. 4.3); the clip itself is the truth.

    The paper's "GT" starts at the first frame, with true poses. Forecast ones need the poses that the LSTM sees, ten,
    the last of which is the start here: ``start=9``. Clips that are too short are left out, and the log says how many.

    Args:
        poses: "true", or "forecast": then the maps come from ``record.side["forecast"]``, which
            ``tools/forecast_poses.py`` writes.
        start: the frame that is animated, counted from 0.
        length: frames, that one included, a clip must go on from there.
        seed: of the first sample's noise.

    Raises:
        ConfigError: other ``poses``, a negative start, or less than two frames.
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
        """One sample a clip, in the order of the index.

        Raises:
            DataError: no clip is long enough, or one has no forecast.
        """
        stop = self.start + self.length
        long_enough = [record for record in index.records if record.num_frames >= stop]
        if not long_enough:
            raise DataError(f"no clip has the {stop} frames that {self.name} needs")
        if short := len(index.records) - len(long_enough):
            print_log(f"{short} clips have fewer than {stop} frames: left out", "current")
        return [Pair(self._from_start(record)) for record in long_enough]

    def _from_start(self, record: ClipRecord) -> ClipRecord:
        side = dict(record.side)
        if self.poses == "forecast":
            if isinstance(side.get("forecast", ""), str):  # neither a file that is there nor an array
                raise DataError(
                    f"clip {record.name} has no forecast poses: python tools/forecast_poses.py CONFIG CHECKPOINT "
                    f"--data FOLDER writes them"
                )
            side["maps"] = side["forecast"]
        stop = self.start + self.length
        span = FrameSpan(record.frames, self.start, stop, record.num_frames)
        return replace(record, frames=span, num_frames=self.length, side=side)
