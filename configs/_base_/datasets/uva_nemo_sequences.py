"""UvA-NEMO, prepared at 64x64, as Dual-MTGAN takes it: both kinds of smiles, sequences of 16 successive frames.

In training each clip comes with another one of the same person; every tenth person tests (the paper has 1110 clips
train and 124 test and does not say which; see i2vkit/datasets/splits.py).
"""

from mmengine.config import read_base

with read_base():
    from .uva_nemo import *

from i2vkit.datasets import SamePerson

for _loader, _people in ((train_dataloader, "uva_nemo/mtgan_train"), (val_dataloader, "uva_nemo/mtgan_test")):
    _loader["dataset"].update(labels=["deliberate", "spontaneous"], people=_people, exclude_people=None, min_frames=16)
    _loader["dataset"]["window"].update(length=16, stride=1)
train_dataloader["dataset"]["pair_sampler"] = dict(type=SamePerson)
test_dataloader = val_dataloader
