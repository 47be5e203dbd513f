"""Monkey-Net for an hour or two on one CPU core: learned points, dense flow and warped pyramid, over the warped image.

From the paper as monkey_net.py has it: every part of the generator, relative transfer, training by two frames of a
clip. Not the paper's:

- the head blends over the warped image (``ResidualHead``), where the paper draws each pixel anew;
- jumps start at a clip's first frame, as the tests do, and do not go back;
- L1 on frames and on the warped image alone, in which pixels that move weigh up to five times as much. The
  discriminator and its features are left out;
- a moving average of the generator's weights is validated and saved;
- a quarter of the widths and four halvings, points and flow from frames of 32x32, one residual block, eight pairs a
  batch, bf16, Adam with 1e-3, falling from the middle on.

Ours in the parts that this file names (their docstrings say more):

- KeypointEncoder: pictures are in [-1, 1] (the released codes: in [0, 1])
- DenseFlow: beyond the image its border goes on (the released codes: zeros)
- WarpedPyramidDecoder: an offset and not a place is resized for each level, so that a flow of 0 leaves every level as
  it is
- WarpedPyramidDecoder: beyond the image its border goes on (the released codes: zeros)
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .monkey_net import *

from i2vkit.models.heads import ResidualHead

_end = 8000
_narrow = (16, 32, 64, 128)
model["precision"] = "bf16"
model["generator"]["content_encoder"].update(widths=_narrow, convs=(1, 1, 1, 1))
model["generator"]["motion_encoder"].update(widths=_narrow, input_size=32)
model["generator"]["motion_generator"].update(widths=_narrow, input_size=32, groups=1)
model["generator"]["decoder"]["residual_blocks"] = 1
model["generator"]["head"] = dict(type=ResidualHead, mask_bias=-2.0)
model["discriminators"] = {}
model["phases"] = dict(
    generator=dict(
        updates=["generator"],
        losses=dict(
            frame_l1=dict(type=FrameL1Loss, pass_name="forecast", motion_weight=4.0, weight=10.0),
            base_l1=dict(type=BaseL1Loss, pass_name="forecast", weight=10.0),
        ),
    ),
)
optim_wrapper["optimizer"]["lr"] = 1e-3
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=200, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=_end // 2, end=_end, by_epoch=False),
)
