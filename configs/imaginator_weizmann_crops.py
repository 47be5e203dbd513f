"""ImaGINator on the Weizmann strips, second part of a run of an hour or two on two CPU cores: crops at random, at a
falling learning rate, from 2500 iterations of imaginator_weizmann.py at 5e-4.

The paper has no such run. Five people train, who are soon known by heart; crops make a little more of them.
docs/results.md has the commands, and what came out.

Memory of a training step: 1.5 GiB in fp32.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .imaginator_weizmann import *

from i2vkit.datasets.transforms import RandomCrop

_end = 1000

_steps = train_dataloader["dataset"]["pipeline"]
train_dataloader["dataset"]["pipeline"] = dict(
    window=_steps["window"],
    read=_steps["read"],
    crop=dict(type=RandomCrop, smallest=0.9),
    resize=_steps["resize"],
    pack=_steps["pack"],
)
optim_wrapper["optimizer"]["lr"] = 4e-4
param_scheduler = dict(decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.02, begin=0, end=_end, by_epoch=False))
train_cfg.update(max_iters=_end, val_interval=250)
default_hooks["checkpoint"]["interval"] = 250
