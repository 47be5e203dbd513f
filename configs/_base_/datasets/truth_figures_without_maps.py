"""The figures of i2v-truth-v1 as in truth_figures.py, for models that read no maps and learn from clips by themselves.

Nothing is mirrored: who is seen from the side looks to the right. Clips stay decoded in memory, so that workers would
only wait.
"""

from mmengine.config import read_base

with read_base():
    from .truth_figures import *

from i2vkit.datasets.transforms import FirstFrames, PackClip, RandomWindow, ReadFrames, Resize

train_dataloader.update(num_workers=0, persistent_workers=False)
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["pipeline"] = dict(
    window=dict(type=RandomWindow, length=16),
    read=dict(type=ReadFrames),
    resize=dict(type=Resize, size=64),
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
