"""Pre-training of DTGAN's motion encoder on the faces of i2v-truth-v1, 64x64.

Paper: Kim et al., 2017 (reference [12] of DTGAN). A frame's state is its displacement from the clip's first one, as in
cnn_lstm_weizmann.py. All that the paper's abstract leaves open is ours. Expected result: none published.

Memory of a training step: 0.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.cnn_lstm import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import LabelStates
from i2vkit.evaluation.metrics import Accuracy

train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["extra_steps"] = dict(states=dict(type=LabelStates, num_states=3, by="displacement"))
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None)
test_evaluator = val_evaluator = dict(accuracy=dict(type=Accuracy))
del protocols["transfer"]  # no videos are made

train_cfg.update(max_iters=600, val_interval=200)
default_hooks["checkpoint"].update(interval=200, save_best="accuracy")
custom_hooks["strips"] = None  # no pictures: nothing is generated

variants = {
    "figures": dict(
        name="cnn_lstm_figures",
        help="The figures of i2v-truth-v1. Expected result: none published.",
        memory="0.4 GiB in fp32",
        data="_base_/datasets/truth_figures.py",
        options={
            "train_dataloader.dataset.pair_sampler": None,
            "train_dataloader.dataset.extra_steps": dict(
                states=dict(type=LabelStates, num_states=3, by="displacement")
            ),
            "val_dataloader.dataset.pair_sampler": None,
            "val_dataloader.dataset.truth": None,
            "test_dataloader.dataset.pair_sampler": None,
            "test_dataloader.dataset.truth": None,
            "protocols.transfer": None,  # no videos are made
            "val_evaluator": dict(ssim=None, psnr=None, accuracy=dict(type=Accuracy)),
            "test_evaluator": dict(
                ssim=None, psnr=None, appearance=None, motion_accuracy=None, accuracy=dict(type=Accuracy)
            ),
        },
    ),
}
