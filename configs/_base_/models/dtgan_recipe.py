"""DTGAN for an hour or less on one CPU core: the paper's frozen encoder, motion channel and U-Net, our output layer.

From the paper as dtgan.py has it: the frozen, appearance-suppressed CNN-LSTM, one motion channel, the U-Net on image
and channel, L1 and the frame discriminator on single frames, training by reconstruction alone. Not the paper's:

- the image is warped and painted over (``WarpHead``) where the paper draws each pixel anew;
- no dropout, which is the paper's noise: a video depends on image and driving video alone;
- the dynamics discriminator and eq. 6 are left out: they encode the video that was made, all of its frames;
- of a clip that is encoded whole the first frame and three others are decoded in training;
- the frame discriminator trains from iteration 8,700 on and weighs 0.3 from 9,000 on: before there is a copy of the
image it
  only adds texture;
- a moving average of the generator's weights is validated and saved;
- widths between a quarter and a half of those of dtgan.py, four clips a batch, Adam with 1e-3, falling from the middle
  on, discriminators 5e-4.

Ours in the parts that this file names (their docstrings say more):

- UNetDecoder: dropout has one mask for a clip, which all its frames share (pix2pix draws one for each image)
- UNetDecoder: the embedder of motion is a linear layer to 4x4 cells and up-convolutions, with He's initial weights and
  tanh
"""

from mmengine.config import read_base

with read_base():
    from .dtgan import *

from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.discriminators import AllFrames, FrameDiscriminator
from i2vkit.models.encoders import CnnLstmEncoder, ConvFrameEncoder
from i2vkit.models.heads import WarpHead
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, FrameL1Loss, NonSaturatingLoss

model["decoded_frames"] = 3
model["generator"]["motion_encoder"] = dict(
    type=CnnLstmEncoder,
    frame_encoder=dict(type=ConvFrameEncoder, widths=(16, 32, 64, 128), features=256),
    hidden=256,
)
model["generator"]["decoder"] = dict(
    type=UNetDecoder,
    widths=(32, 64, 128, 128, 128, 128),
    dropout=0.0,
    embedder_dropout=0.0,
    dropout_at_test=False,
)
model["generator"]["head"] = dict(type=WarpHead, max_displacement=6.0, mask_bias=-2.0)
model["discriminators"] = dict(
    frame=dict(
        type=Discriminator,
        network=dict(type=FrameDiscriminator, widths=(16, 32, 64, 128), norm="batch"),
        view=dict(type=AllFrames),
        adversarial=dict(type=NonSaturatingLoss),
    )
)
model["phases"] = dict(
    discriminators=dict(
        updates=["discriminators.frame"],
        losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame")),  # eq. 3
        begin=8700,
    ),
    generator=dict(
        updates=["generator"],
        losses=dict(
            frame_adversarial=dict(
                type=AdversarialLoss, discriminator="frame", weight=[(9000, 0.0), (9001, 0.3)]
            ),  # eq. 4
            frame_l1=dict(type=FrameL1Loss, weight=100.0),  # eq. 5
        ),
    ),
)
optim_wrapper["optimizer"]["lr"] = 1e-3
optim_wrapper["per_phase"] = dict(discriminators=dict(lr=5e-4))
param_scheduler["decay"].update(begin=6000, end=12_000)
