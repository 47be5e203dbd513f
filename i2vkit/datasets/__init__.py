"""Data: clips on the disk, which drives whom, and what a model is given of them."""

from i2vkit.datasets import transforms
from i2vkit.datasets.clips import ClipDataset
from i2vkit.datasets.folder import ClipFolder
from i2vkit.datasets.index import ClipIndex, ClipRecord, FrameFolder, FrameSource, FrameStrip, VideoFile
from i2vkit.datasets.oulu_casia import OuluCasia
from i2vkit.datasets.pairing import AllPairs, OtherPerson, Pair, SameClip, SamePerson
from i2vkit.datasets.samplers import PositionSampler
from i2vkit.datasets.splits import SPLITS, people_of
from i2vkit.datasets.strips import FrameStrips
from i2vkit.datasets.takes import FrameCache, Take

__all__ = [
    "SPLITS",
    "AllPairs",
    "ClipDataset",
    "ClipFolder",
    "ClipIndex",
    "ClipRecord",
    "FrameCache",
    "FrameFolder",
    "FrameSource",
    "FrameStrip",
    "FrameStrips",
    "OtherPerson",
    "OuluCasia",
    "Pair",
    "PositionSampler",
    "SameClip",
    "SamePerson",
    "Take",
    "VideoFile",
    "people_of",
    "transforms",
]
