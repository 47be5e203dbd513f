"""Pre-training of the motion encoder of dtgan_recipe_figures.py, without labels: a minute on a CPU core.

Ours, as cnn_lstm_recipe_weizmann.py. The set's own 12 people train.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures_without_maps import *
    from .._base_.models.motion_regressor import *
    from .._base_.runtime import *

train_dataloader["batch_size"] = 8
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None)
del protocols["transfer"]  # no videos are made
train_cfg.update(max_iters=1200, val_interval=1200)
default_hooks["checkpoint"].update(interval=1200, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated
