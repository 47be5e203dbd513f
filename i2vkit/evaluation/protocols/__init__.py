"""Protocols: lists of the images, motions and seeds from which a test generates videos."""

from i2vkit.evaluation.protocols.base import Protocol
from i2vkit.evaluation.protocols.continuation import Continuation
from i2vkit.evaluation.protocols.forecast import Forecast
from i2vkit.evaluation.protocols.initial_frames import InitialFrames
from i2vkit.evaluation.protocols.label_grid import LabelGrid
from i2vkit.evaluation.protocols.reconstruction import Reconstruction
from i2vkit.evaluation.protocols.reference_transfer import ReferenceTransfer
from i2vkit.evaluation.protocols.sample_list import SampleList, describe, write_samples
from i2vkit.evaluation.protocols.stochastic import Stochastic
from i2vkit.evaluation.protocols.transfer import Transfer

__all__ = [
    "Continuation",
    "Forecast",
    "InitialFrames",
    "LabelGrid",
    "Protocol",
    "Reconstruction",
    "ReferenceTransfer",
    "SampleList",
    "Stochastic",
    "Transfer",
    "describe",
    "write_samples",
]
