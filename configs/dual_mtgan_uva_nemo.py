"""Dual-MTGAN on UvA-NEMO, 64x64, sequences of 16 frames.

Paper: Yang et al., "Dual-MTGAN". Data: all smiles, each divided into two sequences, which all train or test; every
tenth person tests, our choice, where the paper has 1110 and 124 clips. Batch of 16 and iterations are ours; what else
is open stands in _base_/models/dual_mtgan.py. Expected result: none in numbers, the paper shows pictures of transfer
(fig. 3 and 5). It has not been trained yet.

Memory of a training step: 2.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.uva_nemo_sequences import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

train_cfg.update(max_iters=55_000, val_interval=1000)
