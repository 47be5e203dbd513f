"""The figures of i2v-truth-v1 as in truth_figures.py, for models that read no maps and learn from clips by themselves.

Nothing is mirrored: who is seen from the side looks to the right. Clips stay decoded in memory, so that workers would
only wait.
"""

from mmengine.config import read_base

with read_base():
    from .truth_figures import *

train_dataloader["dataset"]["pair_sampler"] = None
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader.update(num_workers=0, persistent_workers=False)
    _loader["dataset"].update(maps=None, points=None, extra_steps=None)
