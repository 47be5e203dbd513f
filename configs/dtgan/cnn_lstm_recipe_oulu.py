"""Pre-training of the motion encoder of dtgan_recipe_oulu.py: a minute on a CPU core.

Paper: Kim et al., 2017 (reference [12] of DTGAN), as cnn_lstm_oulu.py has it. Ours: half the widths, 240 iterations of
8 clips in place of 600 of 16.

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.oulu_casia import *
    from .._base_.models.cnn_lstm_recipe import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import LabelStates
from i2vkit.evaluation.metrics import Accuracy

train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
train_dataloader["dataset"]["extra_steps"] = dict(states=dict(type=LabelStates, num_states=3, by="position"))
val_dataloader.update(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
test_evaluator = val_evaluator = dict(accuracy=dict(type=Accuracy))

train_cfg.update(max_iters=240, val_interval=240)
default_hooks["checkpoint"].update(interval=240, save_best="accuracy")
custom_hooks["strips"] = None  # no pictures: nothing is generated
