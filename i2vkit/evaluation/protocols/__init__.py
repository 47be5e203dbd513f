"""Protocols: what is generated from what, how often, with which seeds."""

from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.evaluation.protocols.frgan import Forecast, ReferenceTransfer
from i2vkit.evaluation.protocols.pairings import Reconstruction, Stochastic, Transfer
from i2vkit.evaluation.protocols.sample_list import SampleList, describe, write_samples

__all__ = [
    "Forecast",
    "Protocol",
    "Reconstruction",
    "ReferenceTransfer",
    "SampleList",
    "Stochastic",
    "Transfer",
    "describe",
    "write_samples",
]
