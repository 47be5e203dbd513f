"""The first-order motion model on BAIR robot pushing, 64x64, 30 frames.

Paper: Siarohin et al., 2019, "First order motion model for image animation", which shows BAIR at 256x256. 20 epochs of
40,960 clips with 36 pairs of frames a batch and a discriminator, as in the released code. What else is not the paper's
stands in _base_/models/fomm.py and fomm_adversarial.py. As for monkey_net_bair, the points of later frames come from
the true video (protocol reconstruction). Expected result: none published at this size. It has not been trained yet.

Memory of a training step: 2.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.bair import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.fomm_adversarial import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump

train_dataloader["batch_size"] = 36
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
# 40,960 clips in 1137 batches. The learning rate falls behind 12 and 18 epochs.
train_cfg.update(max_iters=22_740, val_interval=1137)
param_scheduler["decay"]["milestones"] = [13_644, 20_466]
