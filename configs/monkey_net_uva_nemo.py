"""Monkey-Net on UvA-NEMO, 64x64, sequences of 16 frames: fig. 5 of Dual-MTGAN.

Paper: Siarohin et al., 2019, "Animating arbitrary objects via deep motion transfer"; 750 epochs with 32 pairs of frames
a batch, the learning rate falls behind epoch 500, as in the released code. Data as for dual_mtgan_uva_nemo, whose page
compares with it, in pictures. Expected result: none in numbers. It has not been trained yet.

Memory of a training step: 2.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.uva_nemo_sequences import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.monkey_net import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
# 2220 sequences in 69 batches.
train_cfg.update(max_iters=51_750, val_interval=3450)
param_scheduler["decay"]["milestones"] = [34_500]
