"""FRGAN's stage two on the faces of i2v-truth-v1 as frgan_refine_recipe_faces.py, on the 40 of 80 people whom stage one
has not seen.

First: python tools/benchmark_truth.py prepare --extra-people 56, and tools/train.py
configs/frgan/frgan_forecast_recipe_faces_80people.py.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_more_people import _joined
    from .frgan_refine_recipe_faces import *

for _entry in model["pretrained"].values():
    _entry.update(
        checkpoint="work_dirs/frgan_forecast_recipe_faces_80people",
        help="python tools/train.py configs/frgan/frgan_forecast_recipe_faces_80people.py",
    )
train_dataloader["dataset"]["reader"] = _joined
train_dataloader["dataset"]["people"] = "i2v_truth/faces_more_refine"
