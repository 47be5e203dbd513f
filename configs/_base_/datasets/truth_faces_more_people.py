"""The faces of i2v-truth-v1 as in truth_faces.py, and further people to train on, 56 as the recipes have it.

First: python tools/benchmark_truth.py prepare --extra-people 56. So 80 people train and not 24; what is trained so is
told apart from what the set's own people give. Validation and test are the set's.
"""

from mmengine.config import read_base

with read_base():
    from .truth_faces import *

from i2vkit.datasets import ClipFolder, ConcatReader

_joined = dict(
    type=ConcatReader,
    readers=[
        val_dataloader["dataset"]["reader"],
        dict(
            type=ClipFolder,
            root="data/i2v_truth_v1/faces_extra",
            labels=["anger", "disgust", "fear", "happiness", "sadness", "surprise"],
            help="Further people are rendered by: python tools/benchmark_truth.py prepare --extra-people 56",
        ),
    ],
)
train_dataloader["dataset"]["reader"] = _joined
train_dataloader["dataset"].update(people=None, exclude_people="i2v_truth/faces_held_out")
