"""Reconstruction: generate every clip from its own first frame and motion."""

from __future__ import annotations

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Reconstruction(Protocol):
    """A protocol that generates every clip from its own first frame and its motion. The clip is the ground truth."""

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """Return one sample for each clip, in the order of the index."""
        return [Pair(driving=record) for record in index.records]
