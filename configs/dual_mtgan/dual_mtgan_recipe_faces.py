"""Dual-MTGAN on the faces of i2v-truth-v1, 64x64, 16 frames, made to be looked at: an hour on a CPU core.

Paper: Yang et al., "Dual-MTGAN"; its own model on these data is truth/dual_mtgan_faces.py. What is not the paper's
stands in _base_/models/dual_mtgan_recipe.py. The set's own 24 people train; dual_mtgan_recipe_faces_80people.py has 80.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.dual_mtgan_recipe import *
    from .._base_.recipe import *

train_dataloader["batch_size"] = 12
