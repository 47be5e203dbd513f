"""Dual-MTGAN on BAIR robot pushing, 64x64, 16 of the 30 frames, made to be looked at: half an hour on a CPU core.

Paper: Yang et al., "Dual-MTGAN"; its own model on these data is dual_mtgan_bair. What is not the paper's stands in
_base_/models/dual_mtgan_recipe.py. Its neighbour in the paper's table II is SVG (svg/svg_recipe_bair). Tests draw
30 frames, as the paper's do.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.bair import *
    from .._base_.evaluation_lpips import *
    from .._base_.models.dual_mtgan_recipe import *
    from .._base_.recipe import *

train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=16, stride=1)
