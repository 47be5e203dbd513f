"""The faces of i2v-truth-v1 as in truth_faces.py, for models that read no maps and learn from clips by themselves.

Clips are mirrored at random. Clips stay decoded in memory, so that workers would only wait.
"""

from mmengine.config import read_base

with read_base():
    from .truth_faces import *

from i2vkit.datasets.transforms import RandomFlip

train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader.update(num_workers=0, persistent_workers=False)
    _loader["dataset"].update(maps=None, extra_steps=None)
