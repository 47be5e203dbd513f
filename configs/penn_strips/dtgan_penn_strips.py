"""DTGAN on the real Penn Action strips, 64x64.

Paper: Baddar et al., 2017; it has no experiment on Penn Action. First: tools/train.py
configs/penn_strips/cnn_lstm_penn_strips.py. Windows of 16 frames, batch of 4 and iterations are ours; what else is open
stands in _base_/models/dtgan.py. Expected result: none published; docs/results.md has ours.

Memory of a training step: 0.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.penn_strips import *
    from .._base_.evaluation import *
    from .._base_.models.dtgan import *
    from .._base_.runtime import *

model["labels"] = ["baseball", "clean_and_jerk", "golf_swing", "jump_rope", "jumping_jacks", "tennis"]
model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_penn_strips"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py configs/penn_strips/cnn_lstm_penn_strips.py"
train_cfg.update(max_iters=10_000, val_interval=500)
param_scheduler["decay"].update(begin=5_000, end=10_000)
