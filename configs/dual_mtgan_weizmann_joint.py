"""Dual-MTGAN on the Weizmann strips, the second of two parts: all of eq. 8, from dual_mtgan_weizmann_short.

Transfer, sampling, the cycle and both critics join the reconstruction, at a tenth of its learning rate. Narrow, as the
first part. The cycle weighs a tenth and the video critic a fiftieth of eq. 8's: with a tenth, after 1500 iterations,
people were sharp and torn to pieces, and SSIM fell below the floor. docs/results.md has what came out.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .dual_mtgan_weizmann_short import *

model["pretrained"] = [
    dict(
        part="generator",
        prefix="generator",
        checkpoint="work_dirs/dual_mtgan_weizmann_short",
        help="python tools/train.py dual_mtgan_weizmann_short --precision bf16",
    )
]
model["phases"][0]["begin"] = 0
_losses = model["phases"][1]["losses"]
_losses[2]["weight"] = 1e-3  # divergence
for _loss, _weight in zip(_losses[3:9], (1.0, 1.0, 0.02, 0.02, 0.5e-4, 0.5e-4), strict=True):  # the cycle, the critics
    _loss["weight"] = [(0, 0.0), (150, _weight)]
optim_wrapper["optimizer"]["lr"] = 1e-4
optim_wrapper["per_phase"] = dict(critics=dict(lr=2e-4))
param_scheduler = []
train_cfg.update(max_iters=700, val_interval=350)
default_hooks["checkpoint"]["interval"] = 350
