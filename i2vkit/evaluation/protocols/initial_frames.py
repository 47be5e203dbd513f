"""Initial frames: continue every test video from each of its first frames."""

from __future__ import annotations

from mmengine.logging import print_log

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.errors import ConfigError, DataError
from i2vkit.evaluation.protocols.base import Protocol, restrict_frames
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class InitialFrames(Protocol):
    """A protocol that continues every clip from each of its first ``number`` frames. The clip is the ground truth.

    The paper samples "10 initial frames from each video sequence". We take frames 0 to 9. Each is one sample with the
    clip's own label and its own seed, and its name ends in ``@`` and the frame. A clip that is too short for all of
    them gives as many as it can, and the log says how many such clips there are.

    Source: ImaGINator, sec. 4.3.

    Args:
        length: The number of frames of the clip, counted before the pipeline's stride, from the initial one on,
            including it. For 32 frames of stride 2 it is 63. By default 32.
        min_length: The number of frames that are enough from an initial frame on, for windows with a ``min_stride``:
            near the end of a clip the sample has fewer than ``length``. By default ``length``.
        number: The number of initial frames of a clip. By default 10.
        seed: The seed of the first sample's noise. By default 0.

    Raises:
        ConfigError: ``min_length`` is below two, or it is above ``length``.
    """

    def __init__(self, length: int = 32, number: int = 10, seed: int = 0, min_length: int | None = None) -> None:
        super().__init__(seed)
        min_length = length if min_length is None else min_length
        if not 2 <= min_length <= length:
            raise ConfigError(
                f"InitialFrames takes min_length from 2 to length; got min_length={min_length}, length={length}"
            )
        self.length, self.number, self.min_length = length, number, min_length

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return clips in the order of the index, and the initial frames of each one after the other.

        Raises:
            DataError: No clip is long enough.
        """
        starts = [min(self.number, record.num_frames - self.min_length + 1) for record in index.records]
        if max(starts, default=0) < 1:
            raise DataError(f"no clip has the {self.min_length} frames that {self.name} needs")
        if short := sum(count < self.number for count in starts):
            print_log(
                f"{short} clips have fewer than {self.min_length + self.number - 1} frames: fewer than {self.number} "
                f"initial frames of each",
                "current",
            )
        return [
            restrict_frames(Pair(record), start, min(start + self.length, record.num_frames))
            for record, count in zip(index.records, starts, strict=True)
            for start in range(count)
        ]
