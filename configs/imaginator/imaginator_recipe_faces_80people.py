"""ImaGINator on the faces of i2v-truth-v1 as imaginator_recipe_faces.py, with 56 more people to train on.

First: python tools/benchmark_truth.py prepare --extra-people 56. Tables tell it apart from what 24 people give.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_more_people import _joined
    from .imaginator_recipe_faces import *

train_dataloader["dataset"]["reader"] = _joined
train_dataloader["dataset"].update(people=None, exclude_people="i2v_truth/faces_held_out")
