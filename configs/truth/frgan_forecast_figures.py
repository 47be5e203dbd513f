"""FRGAN's stage one on the figures of i2v-truth-v1, 64x64, with heatmaps of 13 joints.

Paper: Zhao et al., 2018. All training people train both stages: the set has no three groups. Iterations are ours; what
else the paper leaves open stands in _base_/models/frgan_forecast.py. Expected result: none published for these data;
docs/results.md has ours.

Memory of a training step: 4.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures import *
    from .._base_.models.frgan_forecast import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import RandomJump

model["map_channels"] = 13
train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["pipeline"]["window"] = dict(type=RandomJump, frames=1)
train_cfg.update(max_iters=20_000, val_interval=1000)
