"""FRGAN on MUG, 96x96, stage two: clips of 32 frames from the frozen stage one, refined.

Paper: Zhao et al., 2018. First: tools/train.py frgan_forecast_mug. Data: the second group of 19 people
trains. Expected result: ACD-I 0.184, ACD-C 0.107; the real videos have 0.109 and 0.098 (table 1).

Memory of a training step: 25.0 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug_maps import *
    from ._base_.evaluation_faces import *
    from ._base_.models.frgan_refine import *
    from ._base_.runtime import *

for _entry in model["pretrained"].values():
    _entry.update(checkpoint="work_dirs/frgan_forecast_mug", help="python tools/train.py frgan_forecast_mug")
train_dataloader["dataset"]["people"] = "mug/frgan_refine"
val_dataloader["dataset"]["people"] = "mug/frgan_forecast"
train_dataloader["dataset"]["window"]["frames"] = 32
train_cfg.update(max_iters=50_000, val_interval=2500)
