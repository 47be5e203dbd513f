"""FRGAN (Zhao et al., "Learning to Forecast and Refine Residual Motion for Image-to-Video Generation", 2018), stage
one: the motion forecasting network G_M, from one image and condition maps to each later frame by itself.

From the paper: analogy (eq. 3), residual head with its mask (eq. 2), dense connections (sec. 3.2), random jumps in
time, losses (eq. 4 to 9), WGAN-GP with a penalty of 10, discriminators conditioned on the maps, Adam with 1e-4 and
betas (0, 0.9), batch 32. From the authors' released code (stage one on MUG): all sizes (64 channels doubling to 512 at
most while a map is 8 or larger, codes of 128; 70,326,596 and 13,286,977 parameters at 64x64), skips from the maps'
pyramids too, batch norm in the decoder alone, loss weights 3.0, 0.05 and 1 on means, one discriminator step a generator
step. Ours: torch's initial weights in encoders and discriminators, biases of 0 in the decoder. How many maps a frame
has (normal maps 3, joints 13) comes from the data.

The pass animates the take of the image with the maps of the driving take: RandomJump makes them frames t and t + k of
one clip, a pair sampler two people's.

Ours in the parts that this file names (their docstrings say more):

- WassersteinLoss: the norm of the gradient has 1e-12 under its root
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import DenseDecoder
from i2vkit.models.discriminators import AllFrames, ResidualFrameDiscriminator
from i2vkit.models.encoders import MapDifferenceEncoder, ResidualPyramidEncoder
from i2vkit.models.heads import DirectHead, ResidualHead
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, FrameL1Loss, MaskSparsityLoss, WassersteinLoss

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(type=ResidualPyramidEncoder, width=64, max_width=512, code=128),
        motion_encoder=dict(type=MapDifferenceEncoder, width=64, max_width=512, code=128),
        motion_generator=None,
        decoder=dict(type=DenseDecoder, width=64, max_width=512, dense=True),
        head=dict(type=ResidualHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(type=ResidualFrameDiscriminator, width=64, max_width=512),
            view=dict(type=AllFrames),
            condition="maps",
            adversarial=dict(type=WassersteinLoss, gradient_penalty=10.0),
        ),
    ),
    passes=dict(forecast=dict(content="image", motion="driving", target="driving")),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.frame"],
            losses=dict(
                frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame", passes="forecast")
            ),  # eq. 8 and 9
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(  # eq. 4
                frame_l1=dict(type=FrameL1Loss, pass_name="forecast", weight=3.0),  # eq. 5
                mask=dict(type=MaskSparsityLoss, pass_name="forecast", weight=0.05),  # eq. 6
                frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", passes="forecast"),  # eq. 7
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=1e-4, betas=(0.0, 0.9), fused=True),
)

# Rows of tables 1, 3 and 4, as options for variants.
_ablations = {
    "no_dense": {"model.generator.decoder.dense": False},
    "villegas": {
        "model.generator.decoder.dense": False,
        "model.generator.head": dict(type=DirectHead),
        "model.phases.generator.losses.mask": None,  # it has no mask
    },
}
