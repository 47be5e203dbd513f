"""MoCoGAN given the input image on the real Penn Action strips, 64x64, 16 frames.

Paper: Tulyakov et al., 2018. Batch of 4 and iterations are ours; what else is open stands in _base_/models/mocogan.py.
Expected result: none published; docs/results.md has ours.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.penn_strips import *
    from .._base_.evaluation import *
    from .._base_.models.mocogan import *
    from .._base_.runtime import *

model["labels"] = ["baseball", "clean_and_jerk", "golf_swing", "jump_rope", "jumping_jacks", "tennis"]
train_cfg.update(max_iters=10_000, val_interval=500)
