"""Monkey-Net on the faces of i2v-truth-v1, 64x64, 16 frames.

Paper: Siarohin et al., 2019, "Animating arbitrary objects via deep motion transfer". Iterations and the batch are ours.
What else is not the paper's stands in _base_/models/monkey_net.py. Expected result: none published for these data.

Memory of a training step: 2.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces_without_maps import *
    from ._base_.models.monkey_net import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomJump

train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, backwards=0.5)
train_cfg.update(max_iters=20_000, val_interval=1000)
param_scheduler["decay"]["milestones"] = [13_000]

variants = {
    "figures": dict(
        name="monkey_net_figures",
        help="The figures of i2v-truth-v1. Nothing is mirrored.",
        memory="2.6 GiB in fp32",
        data="_base_/datasets/truth_figures_without_maps.py",
        options={
            "train_dataloader.batch_size": 32,
            "train_dataloader.dataset.window": dict(type=RandomJump, frames=1, backwards=0.5),
        },
    ),
}
