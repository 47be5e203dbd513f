"""Dual-MTGAN on the Weizmann strips, the second of two parts: all of eq. 8, from dual_mtgan_weizmann_short.

Transfer, sampling, the cycle and both discriminators join the reconstruction, at a tenth of its learning rate. Narrow,
as the first part. The cycle weighs a tenth and the video discriminator a fiftieth of eq. 8's: with a tenth, after 1500
iterations, people were sharp and torn to pieces, and SSIM fell below the static baseline. docs/results.md has what came
out.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .dual_mtgan_weizmann_short import *

model["pretrained"] = dict(
    generator=dict(
        part="generator",
        prefix="generator",
        checkpoint="work_dirs/dual_mtgan_weizmann_short",
        help="python tools/train.py dual_mtgan_weizmann_short --precision bf16",
    )
)
model["phases"]["discriminators"]["begin"] = 0
_losses = model["phases"]["generator"]["losses"]
_losses["kl"]["weight"] = 1e-3  # divergence
_joining = dict(
    motion_l1=1.0,
    motion_l1_transfer=1.0,
    video_adversarial=0.02,
    video_adversarial_transfer=0.02,
    image_adversarial=0.5e-4,
    image_adversarial_transfer=0.5e-4,
)
for _name, _weight in _joining.items():
    _losses[_name]["weight"] = [(0, 0.0), (150, _weight)]
optim_wrapper["optimizer"]["lr"] = 1e-4
optim_wrapper["per_phase"] = dict(discriminators=dict(lr=2e-4))
param_scheduler = {}
train_cfg.update(max_iters=700, val_interval=350)
default_hooks["checkpoint"]["interval"] = 350
