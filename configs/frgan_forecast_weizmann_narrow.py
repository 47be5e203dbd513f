"""frgan_forecast_weizmann for under an hour on one CPU core: half the widths in all networks, the same losses.

The paper has no such run. Batches of 8, a learning rate of 3e-4 that falls over the last third. docs/results.md has
what came out.

Memory of a training step: 0.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .frgan_forecast_weizmann import *

from mmengine.optim import LinearLR

for _part in ("content_encoder", "motion_encoder", "decoder"):
    model["generator"][_part].update(width=32, max_width=256)
model["discriminators"]["frame"]["network"].update(width=32, max_width=256)
train_dataloader["batch_size"] = 8
val_dataloader["batch_size"] = 4
optim_wrapper["optimizer"]["lr"] = 3e-4
param_scheduler = dict(
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.1, begin=1000, end=1500, by_epoch=False)
)
train_cfg.update(max_iters=1500, val_interval=500)
default_hooks["checkpoint"]["interval"] = 250
custom_hooks["strips"]["interval"] = 250
