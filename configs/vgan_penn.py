"""VGAN given the input image on Penn Action, 64x64, 32 frames: a baseline of FRGAN, which trains one for each action.

Papers: Vondrick et al., 2016; as a baseline Zhao et al., 2018. Here one model learns all eight actions; its variants
learn and test one each, as FRGAN has it. Data: the first third of each action's clips trains, the last tests, from
their first frames on (FRGAN: "randomly picked video clips"). Batch and iterations are ours; what else the papers leave
open stands in _base_/models/vgan.py. Expected result, one for each action: MSE 0.047 (table 3), PSNR by action in
fig. 7.

Memory of a training step: 1.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.penn_action import *
    from ._base_.evaluation_images import *
    from ._base_.models.vgan import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import Mse

val_evaluator["mse"] = test_evaluator["mse"] = dict(type=Mse)
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader["dataset"]["points"] = None  # no joints are read
train_cfg.update(max_iters=55_000, val_interval=1000)

_loaders = ("train_dataloader", "val_dataloader", "test_dataloader")
variants = {
    "baseball_pitch": dict(
        help="The clips of baseball_pitch alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["baseball_pitch"] for loader in _loaders},
    ),
    "baseball_swing": dict(
        help="The clips of baseball_swing alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["baseball_swing"] for loader in _loaders},
    ),
    "clean_and_jerk": dict(
        help="The clips of clean_and_jerk alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["clean_and_jerk"] for loader in _loaders},
    ),
    "golf_swing": dict(
        help="The clips of golf_swing alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["golf_swing"] for loader in _loaders},
    ),
    "jump_rope": dict(
        help="The clips of jump_rope alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["jump_rope"] for loader in _loaders},
    ),
    "jumping_jacks": dict(
        help="The clips of jumping_jacks alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["jumping_jacks"] for loader in _loaders},
    ),
    "tennis_forehand": dict(
        help="The clips of tennis_forehand alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["tennis_forehand"] for loader in _loaders},
    ),
    "tennis_serve": dict(
        help="The clips of tennis_serve alone.",
        memory="1.6 GiB in fp32",
        options={f"{loader}.dataset.labels": ["tennis_serve"] for loader in _loaders},
    ),
}
