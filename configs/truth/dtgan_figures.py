"""DTGAN on the figures of i2v-truth-v1, 64x64, 16 frames.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN". First: tools/train.py configs/truth/cnn_lstm_figures.py. Iterations
are ours; what else the paper leaves open stands in _base_/models/dtgan.py. Expected result: none published for these
data; docs/results.md has ours.

Memory of a training step: 1.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures import *
    from .._base_.models.dtgan import *
    from .._base_.runtime import *

model["labels"] = list(train_dataloader["dataset"]["reader"]["labels"])
model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_figures"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py configs/truth/cnn_lstm_figures.py"
train_dataloader["dataset"]["pair_sampler"] = None  # it learns by reconstruction alone
train_cfg.update(max_iters=20_000, val_interval=1000)
param_scheduler["decay"].update(begin=10_000, end=20_000)
