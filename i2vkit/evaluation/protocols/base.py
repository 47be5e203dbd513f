"""What a protocol is: a pairing that says what is generated from what, in a fixed order and with which seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from i2vkit.datasets.index import ClipIndex
from i2vkit.datasets.pairing import Pair


class Protocol(ABC):
    """A fixed list of samples for an evaluation.

    The order of the samples depends on the index alone, and each has a seed of its own: ``seed`` + its position. The
    data set fills in the truth: the source itself where it is the target too, or else a clip of its ``truth`` in which
    the target's person does what the source's does. A sample without a truth is generated but not scored.

    Args:
        seed: of the first sample's noise.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.name = type(self).__name__

    def pairs(self, index: ClipIndex) -> list[Pair]:
        """The samples.

        Raises:
            DataError: the index lacks what the protocol asks for.
        """
        return [replace(pair, seed=self.seed + i) for i, pair in enumerate(self.list_pairs(index))]

    @abstractmethod
    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """The samples, their seeds not yet set."""
