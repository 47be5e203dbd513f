"""FRGAN's stage one for an hour on one CPU core: the paper's networks, analogy and residual head.

From the paper as frgan_forecast.py has it: the analogy of codes (eq. 3), skips, dense connections, the residual head
and its sparse mask (eq. 2 and 6), L1 (eq. 5), the discriminator on [frame, maps] with a gradient penalty (eq. 7 to 9),
other people for stage two. Not the paper's:

- jumps start at a clip's first frame, as in the authors' released code (the paper: at any frame): tests do so;
- the discriminator trains from iteration 3,200 on and weighs 0.02 from 3,800 on (the authors' code: 1 throughout): at 1
  it pulls much harder than an L1 on means, and paints colours before there is a copy of the image;
- a moving average of the generator's weights is validated and saved;
- a quarter of the widths, eight pairs a batch, bf16, Adam with 1e-3 and betas (0.5, 0.999), falling from iteration
  2,000 on, the discriminator 2e-4.

It has not been trained to its end yet.

Ours in the parts that this file names (their docstrings say more):

- WassersteinLoss: the norm of the gradient has 1e-12 under its root
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .frgan_forecast import *

_end, _starts, _counts = 4000, 3200, 3400

model["precision"] = "bf16"
model["generator"]["content_encoder"].update(width=16, max_width=128)
model["generator"]["motion_encoder"].update(width=16, max_width=128)
model["generator"]["decoder"].update(width=16, max_width=128)
model["discriminators"]["frame"]["network"].update(width=16, max_width=128)
model["phases"]["discriminators"]["begin"] = _starts
model["phases"]["generator"]["losses"]["frame_adversarial"]["weight"] = [(_counts, 0.0), (3800, 0.02)]
optim_wrapper["optimizer"].update(lr=1e-3, betas=(0.5, 0.999))
optim_wrapper["per_phase"] = dict(discriminators=dict(lr=2e-4))
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=200, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=_end // 2, end=_end, by_epoch=False),
)
