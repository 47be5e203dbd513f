"""SVG-LP on BAIR robot pushing, 64x64, made to be looked at: half an hour on a CPU core.

Paper: Denton and Fergus, 2018; its own model on these data is svg_bair. Its neighbour here is Dual-MTGAN's
dual_mtgan/dual_mtgan_recipe_bair, which sees the same clips. From the paper: the codes of the frames, the learned
prior, posterior and frame predictor, teacher forcing, skips from the given image. Not the paper's:

- FRGAN's residual head, which shows the image where nothing moves (the paper: every pixel is drawn anew);
- absolute errors in place of squared ones, and pixels that move weigh up to five times as much;
- the divergence weighs 1e-5 at first and 1e-3 at the end, so that the codes are read before they cost anything (the
  paper: 1e-4 of squared errors from the start, which on few clips leaves the codes unread);
- a quarter of the widths, one convolution a stage, codes of 16;
- eight windows of 10 frames a batch, Adam with 1e-3, falling at the end;
- a moving average of the generator's weights is validated and saved;
- variant own_frames goes on from there and feeds back the generator's own frames, with ten times the divergence's
  weight at the end. Without it the arm turns to haze when codes are drawn from the prior, which has never read a frame
  that is not real.

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .._base_.datasets.bair import *
    from .._base_.evaluation_lpips import *
    from .._base_.models.svg import *
    from .._base_.recipe import *

from i2vkit.datasets.transforms import RandomWindow
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import FrameL1Loss, KlLoss

model["generator"]["content_encoder"].update(widths=(16, 32, 64, 128), convs=(1, 1, 1, 1), code=64)
model["generator"]["motion_encoder"].update(code=16, hidden=128)
model["generator"]["motion_generator"].update(hidden=256)
model["generator"]["decoder"].update(widths=(128, 64, 32, 16), convs=(1, 1, 1, 1))
model["generator"]["head"] = dict(type=ResidualHead)
model["phases"]["generator"]["losses"] = dict(
    frame_l1=dict(type=FrameL1Loss, motion_weight=4.0, weight=10.0),
    kl=dict(type=KlLoss, weight=[(3000, 1e-5), (9000, 1e-3)]),
)
optim_wrapper["optimizer"]["lr"] = 1e-3
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=200, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=7200, end=12_000, by_epoch=False),
)
train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=10, stride=1)
val_dataloader["dataset"]["truth"] = None  # it is told no motion

variants = {
    "own_frames": dict(
        help="The second part of the training: frames are made from the generator's own, as in tests, and the "
        "divergence weighs 1e-2 at the end. First: tools/train.py svg/svg_recipe_bair.",
        memory="0.3 GiB in fp32",
        options={
            "model.pretrained": dict(
                generator=dict(
                    part="generator",
                    prefix="generator",
                    checkpoint="work_dirs/svg_recipe_bair",
                    help="python tools/train.py svg/svg_recipe_bair",
                )
            ),
            "model.passes.reconstruct.feed": "own",
            "model.phases.generator.losses.kl.weight": [(0, 1e-3), (6000, 1e-2)],
        },
    ),
}
