"""Dual-MTGAN on the Weizmann strips (four actions; MoCoGAN's preparation), 64x64.

Paper: Yang et al., "Dual-MTGAN". Data: as in the paper the first two thirds of each clip's frames train and the last
third tests, but four of its ten actions, in other crops. Windows of 16 frames, batch of 16 and iterations are ours;
what else is open stands in _base_/models/dual_mtgan.py. Expected result: the paper draws curves of the best of 25
samples (fig. 6) and gives no numbers on Weizmann; docs/results.md has ours.

Memory of a training step: 2.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips_in_time import *
    from ._base_.evaluation import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

train_cfg.update(max_iters=10_000, val_interval=500)
