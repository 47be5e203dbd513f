"""Dual-MTGAN (Yang et al., "Dual-MTGAN: Stochastic and Deterministic Motion Transfer"): the model at 64x64.

From the paper: the content code whose change from frame to frame is punished (eq. 1), the variational 3D-convolution
motion encoder (eq. 2), the LSTM that unrolls an encoded or a sampled code, frames decoded from [content, motion] (eq.
3), the pair-conditioned image discriminator with its mismatched pairs (eq. 5), the video discriminator (eq. 6), the
motion cycle (eq. 7) and the weights of eq. 8. Ours, where it is silent (its supplement is not at hand): all widths;
codes and LSTM of 128; norms as means; eq. 5 and 6 as cross-entropy on logits with a non-saturating generator; V~_y
stands for transfer and sample, and is the mean of both; the cycle compares means of codes; discriminators weigh 1 in
their own phase, as Adam does not mind the scale; Adam with 2e-4 and betas (0.5, 0.999). With norms as means eq. 8 is
out of balance: in a short narrow run the video discriminator pulled 8 to 37 times as hard at the decoder as L_rec. V_y,
of which y is the first frame, is a clip of another person, or any other clip where nobody is named: y looks other than
V, as the mismatched pairs of eq. 5 need it.

Ours in the parts that this file names (their docstrings say more):

- Conv3dEncoder: its maps are averaged to two in time and reduced to 32 channels before the code
- Conv3dEncoder: the log-variance starts at -4, the prior's is 0
- Conv3dEncoder: the log-variance is kept between bounds, by default -10 and 2
- LstmUnroll: the motion code is scaled to mean 0 and variance 1
- LstmUnroll: the initial state is learned, and the code is read anew at every step
- FrameDecoder: the content code is scaled to mean 0 and variance 1
- FrameDecoder: the motion of a frame is scaled to mean 0 and variance 1
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.discriminators import FrameDiscriminator, RandomFrames, VideoDiscriminator, WholeClip
from i2vkit.models.encoders import Conv3dEncoder, ConvPyramidEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    ContentInvarianceLoss,
    ContentVarianceRatio,
    DiscriminatorLoss,
    FrameL1Loss,
    KlLoss,
    MotionCycleLoss,
    NonSaturatingLoss,
)
from i2vkit.models.motion_generators import LstmUnroll

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=128),
        motion_encoder=dict(type=Conv3dEncoder, widths=(64, 128, 256, 512), code=128, variational=True),
        motion_generator=dict(type=LstmUnroll, hidden=128),
        decoder=dict(type=FrameDecoder, widths=(512, 256, 128, 64)),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        image=dict(
            type=Discriminator,
            network=dict(type=FrameDiscriminator, widths=(64, 128, 256, 512), norm="batch"),
            view=dict(type=RandomFrames, number=1),  # S_I
            condition="image",
            adversarial=dict(type=NonSaturatingLoss),
        ),
        video=dict(
            type=Discriminator,
            network=dict(type=VideoDiscriminator, widths=(64, 128, 256, 512), norm="batch"),
            view=dict(type=WholeClip),
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(  # eq. 3
        reconstruct=dict(content="driving", content_per_frame=True, motion="driving", target="driving"),
        transfer=dict(content="image", motion="driving", target="image_video"),
        sample=dict(content="image", motion="prior", target="image_video"),
    ),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.image", "discriminators.video"],
            losses=dict(
                image_discriminator=dict(
                    type=DiscriminatorLoss, discriminator="image", wrong_image=0.5, same_indices=False
                ),  # eq. 5, x
                # eq. 5, y; real_static=False takes (y, a frame of V_y) for real instead of (y, y)
                image_discriminator_transfer=dict(
                    type=DiscriminatorLoss,
                    discriminator="image",
                    passes=["transfer", "sample"],
                    wrong_image=0.5,
                    real_static=True,
                    same_indices=False,
                ),
                video_discriminator=dict(type=DiscriminatorLoss, discriminator="video"),  # eq. 6, x
                video_discriminator_transfer=dict(
                    type=DiscriminatorLoss, discriminator="video", passes=["transfer", "sample"]
                ),
            ),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(  # eq. 8; with the image discriminator lambda_I is halved, as eq. 5 halves what is generated
                frame_l1=dict(type=FrameL1Loss, weight=10.0),  # eq. 4
                content_l1=dict(type=ContentInvarianceLoss, weight=10.0),
                kl=dict(type=KlLoss, weight=1e-2),
                motion_l1=dict(type=MotionCycleLoss, weight=10.0),
                motion_l1_transfer=dict(type=MotionCycleLoss, pass_name="transfer", weight=10.0),
                video_adversarial=dict(type=AdversarialLoss, discriminator="video"),
                video_adversarial_transfer=dict(
                    type=AdversarialLoss, discriminator="video", passes=["transfer", "sample"]
                ),
                image_adversarial=dict(type=AdversarialLoss, discriminator="image", weight=0.5e-4),
                image_adversarial_transfer=dict(
                    type=AdversarialLoss,
                    discriminator="image",
                    passes=["transfer", "sample"],
                    weight=0.5e-4,
                ),
                content_variance_ratio=dict(type=ContentVarianceRatio),  # measured only
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
)

# The ablations of fig. 6, as options for variants.
_ablations = {
    "no_content_loss": {"model.phases.generator.losses.content_l1.weight": 0.0},
    "no_cycle": {
        "model.phases.generator.losses.motion_l1": None,
        "model.phases.generator.losses.motion_l1_transfer": None,
    },
    "no_image_discriminator": {
        "model.discriminators.image": None,
        "model.phases.discriminators.updates": ["discriminators.video"],
        "model.phases.discriminators.losses.image_discriminator": None,
        "model.phases.discriminators.losses.image_discriminator_transfer": None,
        "model.phases.generator.losses.image_adversarial": None,
        "model.phases.generator.losses.image_adversarial_transfer": None,
    },
    "no_video_discriminator": {
        "model.discriminators.video": None,
        "model.phases.discriminators.updates": ["discriminators.image"],
        "model.phases.discriminators.losses.video_discriminator": None,
        "model.phases.discriminators.losses.video_discriminator_transfer": None,
        "model.phases.generator.losses.video_adversarial": None,
        "model.phases.generator.losses.video_adversarial_transfer": None,
    },
}
