"""FRGAN, stage two: the motion refinement network G_R on the frames of the frozen G_M (frgan_forecast.py).

From the paper: a 3D network with strided and fractionally strided convolutions and skips on frames and maps (fig. 5),
its residual over the coarse video (eq. 10), losses (eq. 11 and 12: D_V, and the mean of D_I over the frames), D_V as
WGAN-GP on the clip and its maps (eq. 13 and 14), D_I on one real and one generated frame of the same time. Ours, where
it is silent: widths 64-128-256-512 (VGAN's), D_V as the 3D twin of D_I, which starts from stage one's, and the loss
weights: those of stage one, but 0.005 for what the discriminators say. The gradient of an L1 on means becomes the
smaller the larger the clip. On 16 x 64x64 a discriminator with a gradient of 1 then pulls 0.74 times as hard as L1, on
the 32 x 96x96 of frgan_refine_mug.py 1.57 times. With 1, and with 0.03, the refiner soon drew grids over what moves.

The frozen G_M makes its coarse videos anew in every step, 17 % of the products: where a clip starts is drawn anew each
time, and every start has frames of its own, so a cache would be 32 times as large as the prepared frames.

Ours in the parts that this file names (their docstrings say more):

- VolumeRefiner: batch norm, LeakyReLU on the way down, ReLU on the way up
- VolumeRefiner: it begins as the identity, at the head's ``identity_bias``
- WassersteinLoss: the norm of the gradient has 1e-12 under its root
- ResidualVideoDiscriminator: its structure is that of the frame discriminator in 3D, with a score for every step in
  time that remains
"""

from mmengine.config import read_base

with read_base():
    from .frgan_forecast import *

from i2vkit.models.discriminators import RandomFrames, ResidualVideoDiscriminator, WholeClip
from i2vkit.models.refiners import VolumeRefiner

model["generator"]["refiner"] = dict(type=VolumeRefiner, widths=(64, 128, 256, 512), window=32)
model["frozen"] = ["generator.content_encoder", "generator.motion_encoder", "generator.decoder"]
model["pretrained"] = dict(
    content_encoder=dict(part="generator.content_encoder", prefix="generator.content_encoder"),
    motion_encoder=dict(part="generator.motion_encoder", prefix="generator.motion_encoder"),
    decoder=dict(part="generator.decoder", prefix="generator.decoder"),
    frame_discriminator=dict(part="discriminators.frame", prefix="discriminators.frame"),
)
for _entry in model["pretrained"].values():
    _entry.update(checkpoint="work_dirs/frgan_forecast_mug", help="")
model["discriminators"]["frame"]["view"] = dict(type=RandomFrames, number=1)
model["discriminators"]["video"] = dict(
    type=Discriminator,
    network=dict(type=ResidualVideoDiscriminator, width=64, max_width=512),
    view=dict(type=WholeClip),
    condition="maps",
    adversarial=dict(type=WassersteinLoss, gradient_penalty=10.0),
    micro_batch=8,  # clips judged at a time: the same numbers in a third of the memory
)
model["phases"] = dict(
    discriminators=dict(
        updates=["discriminators.frame", "discriminators.video"],
        losses=dict(
            frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame", passes="forecast"),
            video_discriminator=dict(type=DiscriminatorLoss, discriminator="video", passes="forecast"),  # eq. 13 and 14
        ),
    ),
    generator=dict(
        updates=["generator.refiner"],
        losses=dict(  # eq. 11
            frame_l1=dict(type=FrameL1Loss, pass_name="forecast", weight=3.0),
            mask=dict(type=MaskSparsityLoss, pass_name="forecast", weight=0.05),
            video_adversarial=dict(
                type=AdversarialLoss, discriminator="video", passes="forecast", weight=0.005
            ),  # eq. 12
            frame_adversarial=dict(
                type=AdversarialLoss, discriminator="frame", passes="forecast", weight=0.005, view=dict(type=AllFrames)
            ),
        ),
    ),
)
