"""Pre-training of DTGAN's motion encoder on Oulu-CASIA, six expressions.

Paper: Kim et al., 2017 (reference [12] of DTGAN). A frame's state follows from its position in the clip: thirds from
onset (neutral) over onset-to-apex to apex, the states that occur in clips from neutral to apex. Trained on the training
people of dtgan_oulu.py only. Everything that the abstract of the paper leaves open is ours. Expected result: none
published for these data.

Memory of a training step: 0.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.oulu_casia import *
    from ._base_.models.cnn_lstm import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import LabelStates
from i2vkit.evaluation.metrics import Accuracy

train_dataloader["dataset"]["extra_steps"] = dict(states=dict(type=LabelStates, num_states=3, by="position"))
test_evaluator = val_evaluator = dict(accuracy=dict(type=Accuracy))

train_cfg.update(max_iters=600, val_interval=200)
default_hooks["checkpoint"].update(interval=200, save_best="accuracy")
custom_hooks["strips"] = None  # no pictures: nothing is generated

variants = {
    "classes_alone": dict(
        help="The two objectives on classes alone, without those on the states of an expression: what the states are "
        "worth, as python tools/probe_motion.py tells it.",
        memory="0.8 GiB in fp32",
        options=_classes_alone,
    ),
    "states_alone": dict(
        help="The three objectives on the states of an expression alone, without those on classes; the LSTM still "
        "learns the class. What the classes are worth, as python tools/probe_motion.py tells it.",
        memory="0.8 GiB in fp32",
        options=_states_alone,
    ),
    "128": dict(
        help="128x128, with one more block in the CNN, for dtgan_oulu_128.",
        memory="2.8 GiB in fp32",
        options=_data_128 | {"model.network.encoder.frame_encoder.widths": (32, 64, 128, 256, 256)},
    ),
}
