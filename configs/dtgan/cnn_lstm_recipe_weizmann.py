"""Pre-training of the motion encoder of dtgan_recipe_weizmann.py, without labels: a minute on a CPU core.

Ours: states that tell the change of the coarse picture (_base_/models/motion_regressor.py) in place of the paper's
pre-training by labels (cnn_lstm_weizmann.py), whose states tell little of where arms and legs are. The training people
of dtgan_recipe_weizmann.py, 1200 iterations of 8 clips.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.weizmann_strips import *
    from .._base_.models.motion_regressor import *
    from .._base_.runtime import *

train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
val_dataloader.update(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
train_cfg.update(max_iters=1200, val_interval=1200)
default_hooks["checkpoint"].update(interval=1200, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated
