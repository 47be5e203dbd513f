"""BAIR robot pushing, 64x64, camera aux1, read from its TFRecord files: the owners' clips to train on and to test on.

All clips are 30 frames, so a window of 30 is the whole clip; a model for fewer frames takes a shorter one and then sees
all parts of the clips. The owners' 256 test clips serve for validation too: they give no third split.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import Bair, ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomWindow

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=Bair, root="data/bair", camera="aux1", split="train"),
        window=dict(type=RandomWindow, length=30, stride=1),
        size=64,
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=dict(type=Bair, root="data/bair", camera="aux1", split="test"),
        # Rendered data come with other futures of the test clips' first frames, seen by aux1; real data do not.
        truth=dict(type=ClipFolder, root="data/bair/truth"),
        window=dict(type=FirstFrames, length=30, stride=1),
        size=64,
    ),
)
test_dataloader = val_dataloader
