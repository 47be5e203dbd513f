"""Monkey-Net on BAIR robot pushing, 64x64, 30 frames: a row of table II of Dual-MTGAN.

Paper: Siarohin et al., 2019, "Animating arbitrary objects via deep motion transfer"; 15 epochs of 40,960 clips with 32
pairs of frames a batch, the learning rate falls behind epoch 10, and the warped image has a loss of its own, as in the
released code. Expected result: SSIM 0.783, no diversity (Dual-MTGAN, table II). That page does not say where the points
of the later frames come from. Here they come from the true video (protocol reconstruction), which is more than one
image; the code's network that forecasts points is not built. It has not been trained yet.

Memory of a training step: 2.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.bair import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.monkey_net import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_dataloader["dataset"]["augmentation"] = dict(flip=dict(type=RandomFlip))
model["phases"]["generator"]["losses"]["base_l1"] = dict(type=BaseL1Loss, pass_name="forecast", weight=5.0)
train_cfg.update(max_iters=19_200, val_interval=1200)
param_scheduler["decay"]["milestones"] = [12_800]
