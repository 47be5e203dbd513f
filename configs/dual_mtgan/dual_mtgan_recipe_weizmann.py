"""Dual-MTGAN on the Weizmann strips, 64x64, 16 frames: half an hour on a CPU core.

Paper: Yang et al., "Dual-MTGAN"; its own model on these data is dual_mtgan_weizmann.py. What is not the paper's stands
in _base_/models/dual_mtgan_recipe.py; besides, encoder and LSTM are pre-trained (tools/train.py
configs/dual_mtgan/motion_recipe_weizmann.py), the image is warped and painted over by a flow that reaches 12 pixels and
is averaged over 5x5, and 6,000 iterations are enough for 40 clips. Subjects 0, 1, 3, 4 and 5 train, 2 validates.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.weizmann_strips import *
    from .._base_.evaluation import *
    from .._base_.models.dual_mtgan_recipe import *
    from .._base_.recipe import *

from i2vkit.models.heads import WarpHead

_end = 6000
_help = "python tools/train.py dual_mtgan/motion_recipe_weizmann"

model["generator"]["head"] = dict(type=WarpHead, max_displacement=12.0, mask_bias=-1.0, smooth=5)
model["pretrained"] = dict(
    motion_encoder=dict(
        part="generator.motion_encoder",
        checkpoint="work_dirs/motion_recipe_weizmann",
        prefix="network.encoder",
        help=_help,
    ),
    motion_generator=dict(
        part="generator.motion_generator",
        checkpoint="work_dirs/motion_recipe_weizmann",
        prefix="network.motion_generator",
        help=_help,
    ),
)
model["phases"]["generator"]["losses"]["kl"]["weight"] = [(1800, 1e-5), (4200, 5e-4)]
train_dataloader.update(batch_size=12, num_workers=0, persistent_workers=False)
val_dataloader.update(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
train_cfg.update(max_iters=_end, val_interval=2000)
param_scheduler["decay"].update(begin=3600, end=_end)
