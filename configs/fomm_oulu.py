"""The first-order motion model on Oulu-CASIA, 64x64, to compare with DTGAN.

Paper: Siarohin et al., 2019, "First order motion model for image animation", which does not have these data; dtgan_oulu
has the same people. The iterations and the batch are ours; what else is not the paper's stands in
_base_/models/fomm.py. Expected result: none published. It has not been trained yet.

Memory of a training step: 2.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.oulu_casia import *
    from ._base_.evaluation import *
    from ._base_.models.fomm import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump
from i2vkit.evaluation.protocols import Transfer

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
protocols["transfer"] = dict(
    type=Transfer, driving_people="oulu_casia/transfer_driving", image_people="oulu_casia/test"
)
train_cfg.update(max_iters=20_000, val_interval=1000)
param_scheduler["decay"]["milestones"] = [13_000]
