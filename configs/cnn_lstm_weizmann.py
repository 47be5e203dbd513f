"""Pre-training of DTGAN's motion encoder on the Weizmann strips (four actions; MoCoGAN's preparation).

Paper: Kim et al., 2017 (reference [12] of DTGAN), written for facial expressions; here with action labels. A frame's
state is its displacement: how far its picture lies from the clip's first one, in thirds of the clip's largest distance.
Trained on the training people of dtgan_weizmann.py only. Everything that the abstract of the paper leaves open is ours.
Expected result: none published.

Memory of a training step: 0.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips import *
    from ._base_.models.cnn_lstm import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import LabelStates
from i2vkit.evaluation.metrics import Accuracy

train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["extra_steps"] = dict(states=dict(type=LabelStates, num_states=3, by="displacement"))
test_evaluator = val_evaluator = dict(accuracy=dict(type=Accuracy))

# 40 clips: the frames are told apart after a few dozen iterations, and each one more takes from what Z can tell of
# motion (docs/results.md).
model["phases"]["frames"]["end"] = model["phases"]["sequence"]["begin"] = 60
optim_wrapper["per_phase"]["sequence"]["lr"] = 1e-5
train_cfg.update(max_iters=110, val_interval=55)
default_hooks["checkpoint"].update(interval=55, save_best="accuracy")
custom_hooks["strips"] = None  # no pictures: nothing is generated

variants = {
    "classes_alone": dict(
        help="The two objectives on classes alone, without those on the states of an expression: what the states are "
        "worth, as python tools/probe_motion.py tells it.",
        memory="0.4 GiB in fp32",
        options=_classes_alone,
    ),
    "states_alone": dict(
        help="The three objectives on the states of an expression alone, without those on classes; the LSTM still "
        "learns the class. What the classes are worth, as python tools/probe_motion.py tells it.",
        memory="0.4 GiB in fp32",
        options=_states_alone,
    ),
    "penn_strips": dict(
        name="cnn_lstm_penn_strips",
        help="The real Penn Action strips, six actions, with the iterations of cnn_lstm_oulu.py. A frame's state is "
        "its displacement. Expected result: none published.",
        memory="0.2 GiB in fp32",
        data="_base_/datasets/penn_strips.py",
        options={
            "train_dataloader.dataset.extra_steps.states": dict(type=LabelStates, num_states=3, by="displacement"),
            "model.phases.frames.end": 300,
            "model.phases.sequence.begin": 300,
            "optim_wrapper.per_phase.sequence.lr": 3e-5,
            "train_cfg.max_iters": 600,
            "train_cfg.val_interval": 200,
            "default_hooks.checkpoint.interval": 200,
        },
    ),
}
