"""Dual-MTGAN for an hour or less on one CPU core: the paper's encoders, LSTM and frame decoder, reconstruction alone.

From the paper as dual_mtgan.py has it: the content encoder, the variational 3D motion encoder, the LSTM that unrolls
its code, frames decoded from [content, motion], eq. 2 to 4. Not the paper's:

- the motion encoder reads x_t - x_0 (the paper: x_t): else the code first learns who drives;
- the content is that of the first frame (eq. 3: of every frame, held together by eq. 1, which is then left out);
- skips from the content image to the decoder, and FRGAN's residual head (the paper: neither);
- eq. 5 to 7 are left out: no discriminators, no transfer or sample in training, no cycle;
- the divergence of eq. 2 weighs 1e-5 at first, which only keeps the variance in bounds, and 5e-4 at the end (the paper:
  1e-2), and pulls no more below 20 nats;
- pixels that move weigh up to five times as much in eq. 4;
- of a clip that is encoded whole the first frame and five others are decoded in training;
- a moving average of the generator's weights is validated and saved;
- a quarter of the widths of dual_mtgan.py, half in the decoder, an LSTM of 512, twelve clips a batch, bf16, Adam with
  1e-3, falling from iteration 7,200 on.

Ours in the parts that this file names (their docstrings say more):

- Conv3dEncoder: its maps are averaged to two in time and reduced to 32 channels before the code
- Conv3dEncoder: the log-variance starts at -4, the prior's is 0
- Conv3dEncoder: the log-variance is kept between bounds, by default -10 and 2
- Conv3dEncoder: it reads x_t - x_0 in place of x_t
- LstmUnroll: the motion code is scaled to mean 0 and variance 1
- LstmUnroll: the initial state is learned, and the code is read anew at every step
- FrameDecoder: the content code is scaled to mean 0 and variance 1
- FrameDecoder: the motion of a frame is scaled to mean 0 and variance 1
- FrameDecoder: the maps of the content image are added, through a 3x3 convolution
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .dual_mtgan import *

from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.encoders import Conv3dEncoder, ConvPyramidEncoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import FrameL1Loss, KlLoss
from i2vkit.models.motion_generators import LstmUnroll

model["precision"] = "bf16"
model["decoded_frames"] = 5
model["generator"].update(
    content_encoder=dict(type=ConvPyramidEncoder, widths=(16, 32, 64, 128), code=128),
    motion_encoder=dict(type=Conv3dEncoder, widths=(16, 32, 64, 128), code=128, variational=True, difference=True),
    motion_generator=dict(type=LstmUnroll, hidden=512),
    decoder=dict(type=FrameDecoder, widths=(256, 128, 64, 32), skips=True),
)
model["generator"]["head"] = dict(type=ResidualHead)
model["discriminators"] = {}
model["passes"] = dict(reconstruct=dict(content="driving", motion="driving", target="driving"))
model["phases"] = dict(
    generator=dict(
        updates=["generator"],
        losses=dict(
            frame_l1=dict(type=FrameL1Loss, motion_weight=4.0, weight=10.0),  # eq. 4
            kl=dict(type=KlLoss, free_nats=20.0, weight=[(3600, 1e-5), (8400, 5e-4)]),  # eq. 2
        ),
    )
)
optim_wrapper["optimizer"]["lr"] = 1e-3
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=200, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=7200, end=12_000, by_epoch=False),
)
