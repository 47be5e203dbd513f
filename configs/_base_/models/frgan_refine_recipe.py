"""FRGAN's stage two behind frgan_forecast_recipe.py: a 3D network refines the clips of the frozen stage one.

From the paper as frgan_refine.py has it: strided and fractionally strided 3D convolutions with skips on frames and
maps, the residual over the coarse video (eq. 10), L1 and the sparse mask (eq. 11), both discriminators with a gradient
penalty (eq. 12 to 14), Adam with 1e-4, people whom stage one has not seen. Not the paper's:

- clips start at their first frame, as tests do;
- the discriminators train from iteration 2,400 on, and weigh 0.001 each at the end (frgan_refine.py: 0.005 throughout):
  the refiner learns from L1 first;
- it is validated every 500 iterations, and the best checkpoint is kept: it learns what stage one does wrong on people
  whom that has not seen, and with few of them that is soon learned by heart;
- a moving average of the generator's weights is validated and saved;
- a quarter of the widths, four clips of 16 frames a batch, bf16, a rate that falls from iteration 2,000 on.

docs/model_zoo.md has what it gains on stage one after 1,500 iterations.

Ours in the parts that this file names (their docstrings say more):

- VolumeRefiner: batch norm, LeakyReLU on the way down, ReLU on the way up
- VolumeRefiner: it begins as the identity, at the head's ``identity_bias``
- WassersteinLoss: the norm of the gradient has 1e-12 under its root
- ResidualVideoDiscriminator: its structure is that of the frame discriminator in 3D, with a score for every step in
  time that remains
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .frgan_refine import *

_end, _starts, _counts = 4000, 2400, 2800

model["precision"] = "bf16"
model["generator"]["content_encoder"].update(width=16, max_width=128)
model["generator"]["motion_encoder"].update(width=16, max_width=128)
model["generator"]["decoder"].update(width=16, max_width=128)
model["generator"]["refiner"].update(widths=(16, 32, 64, 128), window=16)
model["discriminators"]["frame"]["network"].update(width=16, max_width=128)
model["discriminators"]["video"]["network"].update(width=8, max_width=64)
model["phases"]["discriminators"]["begin"] = _starts
for _loss in ("video_adversarial", "frame_adversarial"):
    model["phases"]["generator"]["losses"][_loss]["weight"] = [(_counts, 0.0), (3600, 0.001)]
param_scheduler = dict(
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=_end // 2, end=_end, by_epoch=False),
)
