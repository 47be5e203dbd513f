"""The first-order motion model on the Weizmann strips (four actions; MoCoGAN's preparation), 64x64.

Paper: Siarohin et al., 2019, "First order motion model for image animation", which does not have these data. Data as
for dual_mtgan_weizmann, so that the two compare. Ten actions are the variant ten_actions. The iterations and the batch
are ours; what else is not the paper's stands in _base_/models/fomm.py. Expected result: none published. It has not been
trained yet.

Memory of a training step: 2.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips_in_time import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.fomm import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomFlip, RandomJump

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_cfg.update(max_iters=15_000, val_interval=1000)
param_scheduler["decay"]["milestones"] = [10_000]

variants = {
    "ten_actions": dict(
        help="Weizmann's own videos, ten actions of nine people, split in time, as Dual-MTGAN has them.",
        memory="2.6 GiB in fp32",
        data="_base_/datasets/weizmann_in_time.py",
        options={
            "train_dataloader.batch_size": 32,
            "train_dataloader.dataset.pair_sampler": None,
            "train_dataloader.dataset.window": dict(type=RandomJump, frames=1, backwards=0.5),
            "train_dataloader.dataset.augmentation": dict(flip=dict(type=RandomFlip)),
        },
    ),
}
