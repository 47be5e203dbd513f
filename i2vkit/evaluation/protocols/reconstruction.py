"""Reconstruction: every clip from its own first frame and motion."""

from __future__ import annotations

from i2vkit.datasets.clip_index import ClipIndex
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.registry import PROTOCOLS


@PROTOCOLS.register_module()
class Reconstruction(Protocol):
    """Every clip from its own first frame and its own motion; the clip itself is the ground truth."""

    def list_pairs(self, index: ClipIndex) -> list[Pair]:
        """One sample a clip, in the order of the index."""
        return [Pair(driving=record) for record in index.records]
