"""The first-order motion model on UvA-NEMO, 64x64, sequences of 16 frames: beside Dual-MTGAN on the same data.

Paper: Siarohin et al., 2019, "First order motion model for image animation", which shows UvA-NEMO at 256x256. 100
epochs of eight pairs a sequence, with 36 pairs a batch and a discriminator, as in the released code. What else is not
the paper's stands in _base_/models/fomm.py and fomm_adversarial.py. Data as for dual_mtgan_uva_nemo. Expected result:
none published for these data. It has not been trained yet.

Memory of a training step: 2.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.uva_nemo_sequences import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.fomm_adversarial import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump

train_dataloader["batch_size"] = 36
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
# 2220 sequences in 61 batches, 800 times.
train_cfg.update(max_iters=48_800, val_interval=2440)
param_scheduler["decay"]["milestones"] = [29_280, 43_920]
