"""Pre-training of the motion encoder of dtgan_recipe_faces.py: a minute on a CPU core.

Paper: Kim et al., 2017 (reference [12] of DTGAN), as cnn_lstm_faces has it. Ours: half the widths, 240
iterations of 8 clips in place of 600 of 8, mirrored clips.

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.cnn_lstm_recipe import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import LabelStates
from i2vkit.evaluation.metrics import Accuracy

train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["extra_steps"] = dict(states=dict(type=LabelStates, num_states=3, by="displacement"))
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None)
test_evaluator = val_evaluator = dict(accuracy=dict(type=Accuracy))
del protocols["transfer"]  # no videos are made

train_cfg.update(max_iters=240, val_interval=240)
default_hooks["checkpoint"].update(interval=240, save_best="accuracy")
custom_hooks["strips"] = None  # no pictures: nothing is generated

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56.",
        memory="0.2 GiB in fp32",
        options=_more_people,
    ),
}
