"""Dual-MTGAN on the real Penn Action strips, 64x64, 16 frames.

Paper: Yang et al., "Dual-MTGAN"; it has no experiment on Penn Action. Nobody is named there: V_y is any other clip.
Batch of 4 and iterations are ours; what else is open stands in _base_/models/dual_mtgan.py. Expected result: none
published; docs/results.md has ours.

Memory of a training step: 0.9 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.penn_strips import *
    from .._base_.evaluation import *
    from .._base_.models.dual_mtgan import *
    from .._base_.runtime import *

from i2vkit.datasets import OtherPerson

train_dataloader["dataset"]["pair_sampler"] = dict(type=OtherPerson)
train_cfg.update(max_iters=10_000, val_interval=500)
