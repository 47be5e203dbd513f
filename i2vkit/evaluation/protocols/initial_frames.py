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
        number: The number of initial frames of a clip. By default 10.
        seed: The seed of the first sample's noise. By default 0.

    Raises:
        ConfigError: ``number`` is below one, or ``length`` is below two.
    """

    def __init__(self, length: int = 32, number: int = 10, seed: int = 0) -> None:
        super().__init__(seed)
        if number < 1 or length < 2:
            raise ConfigError(f"InitialFrames takes number 1 or more and length 2 or more; got {number}, {length}")
        self.length, self.number = length, number

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return clips in the order of the index, and the initial frames of each one after the other.

        Raises:
            DataError: No clip is long enough.
        """
        starts = [min(self.number, record.num_frames - self.length + 1) for record in index.records]
        if max(starts, default=0) < 1:
            raise DataError(f"no clip has the {self.length} frames that {self.name} needs")
        if short := sum(count < self.number for count in starts):
            print_log(
                f"{short} clips have fewer than {self.length + self.number - 1} frames: fewer than {self.number} "
                f"initial frames of each",
                "current",
            )
        return [
            restrict_frames(Pair(record), start, start + self.length)
            for record, count in zip(index.records, starts, strict=True)
            for start in range(count)
        ]
