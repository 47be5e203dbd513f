"""Weizmann Actions as 64x64 strips (MoCoGAN's preparation): subjects 0, 1, 3, 4, 5 train, subject 2 validates.

Training takes windows of 16 frames, every second one, of clips and their mirror images, which are files of their own;
validation the first window of every clip. Subjects 6 to 8 are for a final test and stand in no config.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, FrameStrips
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

_reader = dict(type=FrameStrips, root="data/weizmann", labels=["bend", "jack", "wave1", "wave2"])

train_dataloader.update(
    batch_size=4,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="weizmann/train",
        window=dict(type=RandomWindow, length=16, stride=2),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=1,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="weizmann/val",
        window=dict(type=FirstFrames, length=16, stride=2),
        size=64,
    ),
)
test_dataloader = val_dataloader
