"""Dual-MTGAN on the figures of i2v-truth-v1, 64x64, 16 frames.

Paper: Yang et al., "Dual-MTGAN". Batch size and iterations are ours; what else is open stands in
_base_/models/dual_mtgan.py. Expected result: none published for these data; docs/results.md has ours.

Memory of a training step: 1.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures import *
    from .._base_.models.dual_mtgan import *
    from .._base_.runtime import *

train_cfg.update(max_iters=20_000, val_interval=1000)
