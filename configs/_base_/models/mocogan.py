"""MoCoGAN (Tulyakov et al., 2018, "Decomposing Motion and Content"), given the input image: ImaGINator's baseline.

A GRU on noise and label gives the motion of every frame, a DCGAN each frame from it and the code of the image; a
discriminator on single frames, and one on windows of 16 frames that tells their class too (cross-entropy on real and
generated). From MoCoGAN: noise of 10, the window. Ours: a GRU of 64, through which the label must pass; the first
frame's L1 with weight 10, without which nothing ties the video to its image; a code of 50, MoCoGAN's size of content;
widths of 64 to 512, batch norm, Adam with 2e-4 and betas (0.5, 0.999).
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.discriminators import FrameDiscriminator, RandomFrames, RandomWindow, VideoDiscriminator
from i2vkit.models.encoders import ConvPyramidEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    CategoryLoss,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    FirstFrameL1Loss,
    NonSaturatingLoss,
)
from i2vkit.models.motion_generators import NoiseGru

model = dict(
    type=ImageToVideoGan,
    generator=dict(
        type=Generator,
        content_encoder=dict(type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=50),
        motion_encoder=None,
        motion_generator=dict(type=NoiseGru, noise=10, hidden=64),
        decoder=dict(type=FrameDecoder, widths=(512, 256, 128, 64)),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(type=FrameDiscriminator, widths=(64, 128, 256, 512), norm="batch"),
            view=dict(type=RandomFrames, number=1),
            adversarial=dict(type=NonSaturatingLoss),
        ),
        video=dict(
            type=Discriminator,
            network=dict(type=VideoDiscriminator, widths=(64, 128, 256, 512), norm="batch"),
            view=dict(type=RandomWindow, length=16),
            classify=True,
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(reconstruct=dict(content="driving", motion="prior", target="driving")),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.frame", "discriminators.video"],
            losses=dict(
                frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
                video_discriminator=dict(type=DiscriminatorLoss, discriminator="video"),
                video_discriminator_category=dict(type=DiscriminatorCategoryLoss, discriminator="video"),
            ),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(
                frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"),
                video_adversarial=dict(type=AdversarialLoss, discriminator="video"),
                video_category=dict(type=CategoryLoss, discriminator="video"),
                first_frame_l1=dict(type=FirstFrameL1Loss, weight=10.0),
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
)
