"""FRGAN on Penn Action, 64x64, stage two: clips of 16 frames from the frozen stage one, refined.

Paper: Zhao et al., 2018. First: tools/train.py frgan_forecast_penn. Data: the second third of each action's
clips trains; videos of 32 frames are refined 16 at a time. Expected result with true poses: MSE 0.011; with forecast
ones 0.023 (table 3).

Memory of a training step: 12.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.penn_action_maps import *
    from ._base_.evaluation_poses import *
    from ._base_.models.frgan_refine import *
    from ._base_.runtime import *

model["generator"]["refiner"]["window"] = 16
for _entry in model["pretrained"].values():
    _entry.update(checkpoint="work_dirs/frgan_forecast_penn", help="python tools/train.py frgan_forecast_penn")
train_dataloader["dataset"]["people"] = "penn_action/frgan_refine"
val_dataloader["dataset"]["people"] = "penn_action/frgan_forecast"
train_dataloader["dataset"]["window"]["frames"] = 16
train_cfg.update(max_iters=50_000, val_interval=2500)
