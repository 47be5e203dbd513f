"""Weizmann's own videos, ten actions, prepared at 64x64, split in time as Dual-MTGAN does it (sec. IV-A): the first two
thirds of each clip's frames train, the last third tests.

Windows of 16 successive frames; clips whose part has fewer are left out and listed. In training mirror images are drawn
anew for each sample (ours, as for ImaGINator), and each clip comes with one of another person. All nine people train
and test.
"""

from mmengine.config import read_base

with read_base():
    from .weizmann import *

from i2vkit.datasets import OtherPerson

for _loader, _shares in ((train_dataloader, (0, 2 / 3)), (val_dataloader, (2 / 3, 1))):
    _loader["dataset"].update(people=None, temporal_split=_shares, min_frames=16)
    _loader["dataset"]["window"].update(length=16)
train_dataloader["dataset"]["pair_sampler"] = dict(type=OtherPerson)
test_dataloader = val_dataloader
