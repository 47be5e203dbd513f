"""DTGAN on the faces of i2v-truth-v1, 64x64, 16 frames, made to be looked at: 45 minutes on a CPU core.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN". What is not the paper's stands in _base_/models/dtgan_recipe.py;
the paper's own model on these data is dtgan_faces. First: tools/train.py
configs/dtgan/cnn_lstm_recipe_faces.py, a minute. The set's own 24 people train; its variant 80people has 80.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.dtgan_recipe import *
    from .._base_.recipe import *

model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_recipe_faces"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py dtgan/cnn_lstm_recipe_faces"
train_dataloader["batch_size"] = 4

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56, and "
        "tools/train.py dtgan/cnn_lstm_recipe_faces_80people. Tables tell it apart from what 24 people give.",
        memory="0.1 GiB in fp32",
        options=_more_people
        | {
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/cnn_lstm_recipe_faces_80people",
            "model.pretrained.motion_encoder.help": "python tools/train.py dtgan/cnn_lstm_recipe_faces_80people",
        },
    ),
}
