"""The faces of i2v-truth-v1 as in truth_faces.py, for models that read no maps and learn from clips by themselves.

Clips are mirrored at random. Clips stay decoded in memory, so that workers would only wait.
"""

from mmengine.config import read_base

with read_base():
    from .truth_faces import *

from i2vkit.datasets.transforms import FirstFrames, PackClip, RandomFlip, RandomWindow, ReadFrames, Resize

train_dataloader.update(num_workers=0, persistent_workers=False)
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["pipeline"] = dict(
    window=dict(type=RandomWindow, length=16),
    read=dict(type=ReadFrames),
    resize=dict(type=Resize, size=64),
    flip=dict(type=RandomFlip),
    pack=dict(type=PackClip),
)
for _loader in (val_dataloader, test_dataloader):
    _loader.update(num_workers=0, persistent_workers=False)
    _loader["dataset"]["pipeline"] = dict(
        window=dict(type=FirstFrames, length=16),
        read=dict(type=ReadFrames),
        resize=dict(type=Resize, size=64),
        pack=dict(type=PackClip),
    )
