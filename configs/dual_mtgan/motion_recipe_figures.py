"""Pre-training of encoder and LSTM of dual_mtgan_recipe_figures.py, without labels: two minutes on a CPU core.

Ours: every state that the code is unrolled to tells the change of the coarse picture (MotionRegressor). The set's own
12 people train.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures_without_maps import *
    from .._base_.models.motion_regressor import *
    from .._base_.runtime import *

from i2vkit.models.encoders import Conv3dEncoder
from i2vkit.models.motion_generators import LstmUnroll

model["precision"] = "bf16"
model["network"]["encoder"] = dict(
    type=Conv3dEncoder, widths=(16, 32, 64, 128), code=128, variational=True, difference=True
)
model["network"]["motion_generator"] = dict(type=LstmUnroll, hidden=512)
train_dataloader["batch_size"] = 12
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None)
del protocols["transfer"]  # no videos are made
train_cfg.update(max_iters=600, val_interval=600)
param_scheduler["decay"].update(begin=300, end=600)
default_hooks["checkpoint"].update(interval=600, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated
