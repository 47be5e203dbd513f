"""Dual-MTGAN on the Weizmann strips for half an hour on one CPU core, the first of two parts: narrow, motion first.

The paper has no such run. **Narrow**: a quarter of the widths, half in the decoder, but an LSTM of 512. Frames are
reconstructed, through skips from the content image to the decoder (which the paper's model has not), with pixels
weighted by what moves, eq. 1 relative to the scale of the codes, and a divergence that comes in late and weighs a
tenth of eq. 8's: with its full weight from the start the motion code stays empty. The discriminators, transfer,
sampling and the cycle wait for dual_mtgan_weizmann_joint.py. docs/results.md has what came out.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .dual_mtgan_weizmann import *

_end = 4000

model["generator"]["content_encoder"]["widths"] = (16, 32, 64, 128)
model["generator"]["motion_encoder"]["widths"] = (16, 32, 64, 128)
model["generator"]["motion_generator"]["hidden"] = 512
model["generator"]["decoder"].update(widths=(256, 128, 64, 32), skips=True)
for _discriminator in model["discriminators"].values():
    _discriminator["network"]["widths"] = (16, 32, 64, 128)
model["phases"]["discriminators"]["begin"] = _end
_losses = model["phases"]["generator"]["losses"]
_losses["frame_l1"]["motion_weight"] = 4.0
_losses["content_l1"]["relative"] = True
_losses["kl"]["weight"] = [(1000, 0.0), (3000, 1e-3)]  # divergence
for _name in ("motion_l1", "motion_l1_transfer"):  # the cycle
    _losses[_name]["weight"] = [(_end, 0.0), (_end + 1, _losses[_name].get("weight", 1.0))]
for _name in ("video_adversarial", "video_adversarial_transfer", "image_adversarial", "image_adversarial_transfer"):
    _losses[_name]["weight"] = [(_end, 0.0), (_end + 1, _losses[_name].get("weight", 1.0))]
train_dataloader["batch_size"] = 8
optim_wrapper["optimizer"]["lr"] = 1e-3
param_scheduler = dict(
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.2, begin=_end - 500, end=_end, by_epoch=False)
)
train_cfg.update(max_iters=_end, val_interval=1000)
default_hooks["checkpoint"]["interval"] = 500
