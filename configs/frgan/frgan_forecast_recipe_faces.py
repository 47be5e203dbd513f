"""FRGAN's stage one on the faces of i2v-truth-v1, 64x64, made to be looked at.

Paper: Zhao et al., 2018; its own model on these data is frgan_forecast_faces.py. What is not the paper's stands
in _base_/models/frgan_forecast_recipe.py. 12 of the set's 24 people train this stage, the other 12 the next,
frgan_refine_recipe_faces.py; variant 80people has 40 of 80.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces import *
    from .._base_.models.frgan_forecast_recipe import *
    from .._base_.recipe import *

from i2vkit.datasets.transforms import RandomJump
from i2vkit.evaluation.metrics import ContentDistance

test_evaluator["content_distance"] = dict(type=ContentDistance)
train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
train_dataloader["dataset"].update(people="i2v_truth/faces_forecast", pair_sampler=None)
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, from_first=True)
for _loader in (val_dataloader, test_dataloader):
    _loader.update(num_workers=0, persistent_workers=False)
train_cfg.update(max_iters=4000, val_interval=1000)

variants = {
    "80people": dict(
        help="40 of 80 people. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables tell it apart "
        "from what the set's own people give.",
        memory="0.2 GiB in bf16",
        options=_more_people
        | {
            "train_dataloader.dataset.people": "i2v_truth/faces_more_forecast",
            "train_dataloader.dataset.exclude_people": None,
        },
    ),
}
