"""A user's own clips (docs/your_data.md): the largest centred square at 64x64, windows of 16 frames.

As it stands everyone trains and everyone validates, which measures memory. To hold people out, name them twice:
train_dataloader["dataset"]["exclude_people"] and val_dataloader["dataset"]["people"].
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import CenterCrop, FirstFrames, RandomFlip, RandomWindow

_reader = dict(type=ClipFolder, root="data/my_clips")

train_dataloader.update(
    batch_size=8,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        min_frames=16,
        window=dict(type=RandomWindow, length=16, stride=1),
        crop=dict(type=CenterCrop),
        size=64,
        augmentation=dict(flip=dict(type=RandomFlip, probability=0.5)),
    ),
)
val_dataloader.update(
    batch_size=1,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        min_frames=16,
        window=dict(type=FirstFrames, length=16, stride=1),
        crop=dict(type=CenterCrop),
        size=64,
    ),
)
test_dataloader = val_dataloader
