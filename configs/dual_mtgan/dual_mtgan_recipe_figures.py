"""Dual-MTGAN on the figures of i2v-truth-v1, 64x64, 16 frames: an hour on a CPU core.

Paper: Yang et al., "Dual-MTGAN"; its own model on these data is dual_mtgan_figures. What is not the paper's
stands in _base_/models/dual_mtgan_recipe.py; besides, encoder and LSTM are pre-trained (tools/train.py
configs/dual_mtgan/motion_recipe_figures.py), and the image is warped and painted over by a flow that reaches half the
picture, as people walk, and is averaged over 5x5 pixels. The set's own 12 people train.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures_without_maps import *
    from .._base_.models.dual_mtgan_recipe import *
    from .._base_.recipe import *

from i2vkit.models.heads import WarpHead

_help = "python tools/train.py dual_mtgan/motion_recipe_figures"

model["generator"]["head"] = dict(type=WarpHead, max_displacement=32.0, mask_bias=-1.0, smooth=5)
model["pretrained"] = dict(
    motion_encoder=dict(
        part="generator.motion_encoder",
        checkpoint="work_dirs/motion_recipe_figures",
        prefix="network.encoder",
        help=_help,
    ),
    motion_generator=dict(
        part="generator.motion_generator",
        checkpoint="work_dirs/motion_recipe_figures",
        prefix="network.motion_generator",
        help=_help,
    ),
)
train_dataloader["batch_size"] = 12
