"""Weizmann's own videos, ten actions, prepared at 64x64 (tools/prepare_data.py): six people train, three test.

As ImaGINator has it: 32 frames, every one, and mirror images, drawn anew for each sample. Clips of fewer than 32 frames
are left out and listed. Which people test is our choice, the paper does not say; see i2vkit/datasets/splits.py. The
split in time of Dual-MTGAN is weizmann_in_time.py.
"""

from mmengine.config import read_base

with read_base():
    from ..loaders import *

from i2vkit.datasets import ClipDataset, ClipFolder
from i2vkit.datasets.transforms import FirstFrames, RandomFlip, RandomWindow

_reader = dict(
    type=ClipFolder,
    root="data/weizmann_64",
    labels=["bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2"],
    help="Weizmann Actions needs no form: take bend.zip to wave2.zip and classification_masks.mat from "
    "www.wisdom.weizmann.ac.il/~vision/SpaceTimeActions.html and unpack the archives into data/weizmann_videos.\n"
    "For a synthetic data set: python tools/synthesize_data.py weizmann --out data/weizmann_videos\n"
    "Then, either way: "
    "python tools/prepare_data.py weizmann --source data/weizmann_videos --out data/weizmann_64 --size 64",
)

train_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="weizmann_official/train",
        min_frames=32,
        window=dict(type=RandomWindow, length=32),
        size=64,
        augmentation=dict(flip=dict(type=RandomFlip, probability=0.5)),
    ),
)
val_dataloader.update(
    batch_size=16,
    dataset=dict(
        type=ClipDataset,
        reader=_reader,
        people="weizmann_official/test",
        min_frames=32,
        # Rendered data come with what a transfer should give; real data do not, and then it is not looked for again.
        truth=dict(type=ClipFolder, root="data/weizmann_64/truth"),
        window=dict(type=FirstFrames, length=32),
        size=64,
    ),
)
test_dataloader = val_dataloader
