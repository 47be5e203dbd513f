"""Weizmann Actions as 64x64 strips (MoCoGAN's preparation), split in time: the first two thirds of each clip's frames
train, the last third validates (Dual-MTGAN, sec. IV-A, on all ten actions; the strips have four).

Windows of 16 successive frames of all six people's clips and of their mirror images, which are files of their own. In
training each clip comes with one of another person. The last thirds have 18 frames and more.
"""

from mmengine.config import read_base

with read_base():
    from .weizmann_strips import *

from i2vkit.datasets import OtherPerson

for _loader, _shares in ((train_dataloader, (0, 2 / 3)), (val_dataloader, (2 / 3, 1))):
    _loader["dataset"].update(people=None, temporal_split=_shares)
    _loader["dataset"]["window"].update(length=16, stride=1)
train_dataloader["batch_size"] = 16
train_dataloader["dataset"]["pair_sampler"] = dict(type=OtherPerson)
test_dataloader = val_dataloader
