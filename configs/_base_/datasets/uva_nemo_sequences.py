"""UvA-NEMO, prepared at 64x64, as Dual-MTGAN takes it: both kinds of smiles, divided into sequences of 16 frames.

Every clip is divided into two sequences, each of which is resampled to 16 frames: together they show the whole smile in
the 32 frames that Monkey-Net has, whose protocol the paper follows. (16 successive frames at 50 a second hardly move.)
All sequences train and all test; the number of two is ours. In training each sequence comes with one of another person.
Every tenth person tests (the paper has 1110 clips train and 124 test and does not say which; see
i2vkit/datasets/splits.py).
"""

from mmengine.config import read_base

with read_base():
    from .uva_nemo import *

from i2vkit.datasets import OtherPerson
from i2vkit.datasets.transforms import Resample

for _loader, _people in ((train_dataloader, "uva_nemo/mtgan_train"), (val_dataloader, "uva_nemo/mtgan_test")):
    _loader["dataset"].update(
        labels=["deliberate", "spontaneous"], people=_people, exclude_people=None, min_frames=16, sequences=2
    )
    _loader["dataset"]["window"] = dict(type=Resample, length=16)
train_dataloader["dataset"]["pair_sampler"] = dict(type=OtherPerson)
test_dataloader = val_dataloader
