"""As cnn_lstm_recipe_faces.py, with 56 more people to train on: the motion encoder of dtgan_recipe_faces_80people.py.

First: python tools/benchmark_truth.py prepare --extra-people 56.

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_more_people import _joined
    from .cnn_lstm_recipe_faces import *

train_dataloader["dataset"]["reader"] = _joined
train_dataloader["dataset"].update(people=None, exclude_people="i2v_truth/faces_held_out")
