"""FRGAN's stage one on the faces of i2v-truth-v1 as frgan_forecast_recipe_faces.py, on 40 of 80 people.

First: python tools/benchmark_truth.py prepare --extra-people 56. Tables tell it apart from what the set's own people
give.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_more_people import _joined
    from .frgan_forecast_recipe_faces import *

train_dataloader["dataset"]["reader"] = _joined
train_dataloader["dataset"]["people"] = "i2v_truth/faces_more_forecast"
