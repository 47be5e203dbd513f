"""ImaGINator on the Weizmann strips for 45 minutes on two CPU cores: full width, five people made to look like more.

The paper has no such run. Against imaginator_weizmann.py: clips are cropped and coloured at random (without, five
people are soon known by heart, and a sixth gains nothing more), and the generator's learning rate is 5e-4 and falls in
the second half, as the critics' does. docs/results.md has what came out of either.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .imaginator_weizmann import *

from i2vkit.datasets.transforms import RandomColors, RandomCrop

_end = 3000

train_dataloader["dataset"]["pipeline"][2:2] = [dict(type=RandomCrop, smallest=0.8), dict(type=RandomColors)]
optim_wrapper["optimizer"]["lr"] = 5e-4
param_scheduler = [dict(type=LinearLR, start_factor=1.0, end_factor=0.02, begin=_end // 2, end=_end, by_epoch=False)]
train_cfg.update(max_iters=_end, val_interval=500)
default_hooks["checkpoint"]["interval"] = 250
