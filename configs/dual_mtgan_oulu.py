"""Dual-MTGAN on Oulu-CASIA, 64x64, clips resampled to 16 frames: beside DTGAN on the same data.

The paper has no such experiment. In training each clip comes with one of another person; people and the transfer test
are DTGAN's (dtgan_oulu.py), so that the two models' videos of "A does B's expression" can be compared pair by pair.
Batch of 16 and iterations are ours. Expected result: none published, and it has not been trained yet.

Memory of a training step: 2.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.oulu_casia import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

from i2vkit.datasets import OtherPerson
from i2vkit.evaluation.protocols import Transfer

train_dataloader["dataset"]["pair_sampler"] = dict(type=OtherPerson)
protocols["transfer"] = dict(
    type=Transfer, driving_people="oulu_casia/transfer_driving", image_people="oulu_casia/test"
)
train_cfg.update(max_iters=20_000, val_interval=1000)
