"""The first-order motion model on the figures of i2v-truth-v1, 64x64, for an hour or two on a CPU core.

Paper: Siarohin et al., 2019; its own model on these data is fomm_figures. What is not the paper's stands in
_base_/models/fomm_recipe.py. Nothing is mirrored. The set's own 12 people train; its variant 68people has 68.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures_without_maps import *
    from .._base_.models.fomm_recipe import *
    from .._base_.recipe import *

from i2vkit.datasets.transforms import RandomJump

train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, from_first=True)
train_cfg.update(max_iters=_end, val_interval=2000)

variants = {
    "68people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables "
        "tell it apart from what 12 people give.",
        memory="0.1 GiB in bf16",
        options=_more_people,
    ),
}
