"""FRGAN's stage two on the faces of i2v-truth-v1, 64x64, clips of 16 frames.

Paper: Zhao et al., 2018; its own model on these data is frgan_refine_faces.py. What is not the paper's stands in
_base_/models/frgan_refine_recipe.py. First: tools/train.py frgan/frgan_forecast_recipe_faces. The 12 people
train whom that has not seen; variant 80people has 40.

Memory of a training step: 0.3 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces import *
    from .._base_.models.frgan_refine_recipe import *
    from .._base_.recipe import *

from i2vkit.datasets.transforms import RandomJump
from i2vkit.evaluation.metrics import ContentDistance

for _entry in model["pretrained"].values():
    _entry.update(
        checkpoint="work_dirs/frgan_forecast_recipe_faces",
        help="python tools/train.py frgan/frgan_forecast_recipe_faces",
    )
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
train_dataloader["dataset"].update(people="i2v_truth/faces_refine", pair_sampler=None)
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=16, from_first=True)
for _loader in (val_dataloader, test_dataloader):
    _loader.update(num_workers=0, persistent_workers=False)
train_cfg.update(max_iters=4000, val_interval=500)
default_hooks["checkpoint"].update(interval=500)

variants = {
    "80people": dict(
        help="The 40 of 80 people whom stage one has not seen. First: python tools/benchmark_truth.py prepare "
        "--extra-people 56, and tools/train.py frgan/frgan_forecast_recipe_faces_80people.",
        memory="0.3 GiB in bf16",
        options=_more_people
        | {
            "train_dataloader.dataset.people": "i2v_truth/faces_more_refine",
            "train_dataloader.dataset.exclude_people": None,
        }
        | {
            f"model.pretrained.{part}.{key}": value
            for part in model["pretrained"]
            for key, value in dict(
                checkpoint="work_dirs/frgan_forecast_recipe_faces_80people",
                help="python tools/train.py frgan/frgan_forecast_recipe_faces_80people",
            ).items()
        },
    ),
}
