"""Data sets: clips on the disk, the pairs made of them, and the samples that a model gets."""

from i2vkit.datasets import transforms
from i2vkit.datasets.caches import FileCache, FrameCache
from i2vkit.datasets.clip_dataset import ClipDataset
from i2vkit.datasets.clip_index import ClipIndex, ClipRecord
from i2vkit.datasets.collation import collate_clips
from i2vkit.datasets.frame_sources import FrameFolder, FrameSource, FrameSpan, FrameStrip, VideoFile, VideoSegment
from i2vkit.datasets.pair_samplers import AllPairs, OtherPerson, Pair, SameClip, SamePerson
from i2vkit.datasets.readers.bair import Bair
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.datasets.readers.concat import ConcatReader
from i2vkit.datasets.readers.mug import Mug
from i2vkit.datasets.readers.natops import Natops
from i2vkit.datasets.readers.oulu_casia import OuluCasia
from i2vkit.datasets.readers.penn_action import PennAction
from i2vkit.datasets.readers.strips import FrameStrips
from i2vkit.datasets.readers.uva_nemo import UvaNemo
from i2vkit.datasets.readers.weizmann import Weizmann
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.datasets.samplers import PositionSampler
from i2vkit.datasets.splits import SPLITS, people_of

__all__ = [
    "SPLITS",
    "AllPairs",
    "Bair",
    "ClipDataset",
    "ClipFolder",
    "ClipIndex",
    "ClipRecord",
    "FileCache",
    "FrameCache",
    "FrameFolder",
    "FrameSource",
    "FrameSpan",
    "FrameStrip",
    "FrameStrips",
    "ConcatReader",
    "Natops",
    "Mug",
    "OtherPerson",
    "OuluCasia",
    "Pair",
    "PennAction",
    "PositionSampler",
    "SameClip",
    "SamePerson",
    "SampledClip",
    "UvaNemo",
    "VideoFile",
    "VideoSegment",
    "Weizmann",
    "collate_clips",
    "people_of",
    "transforms",
]
