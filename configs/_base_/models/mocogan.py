"""MoCoGAN (Tulyakov et al., 2018, "Decomposing Motion and Content"), given the input image: ImaGINator's baseline.

A GRU on noise gives the motion of every frame, a DCGAN each frame from [content, label, motion]; a discriminator on
patches of single frames, and one on windows of 16 frames that tells their class too.

From MoCoGAN's paper and its released code: motion and noise of 10, content of 50, the label beside the GRU's output,
all widths, a video discriminator that keeps the frame rate (16, 13, 10, 7, 4, 1 frames), patches of frames, classes
learned from real clips alone, real and generated frames drawn apart, torch's initial weights, Adam with 2e-4, betas
(0.5, 0.999) and a weight decay of 1e-5 for all networks, discriminators before the generator. Because of the given
image, and ours: the content is the image's code and no noise, scaled to mean 0 and variance 1 as that noise is; the
first frame's L1 with weight 10, without which nothing ties the video to its image; the encoder (ImaGINator's, initial
weights of N(0, 0.02)). Ours besides: one batch for frames and clips (the code draws 10 frames and 3 clips apart), a
bias in the first and last convolutions of the discriminators, two last layers for score and class (the code has one,
which is the same function), and the class loss of the generator, which the code has as an option.

Ours in the parts that this file names (their docstrings say more):

- FrameDecoder: the content code is scaled to mean 0 and variance 1
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
        motion_generator=dict(type=NoiseGru, noise=10, hidden=10, label="output"),
        decoder=dict(type=FrameDecoder, widths=(512, 256, 128, 64), normalize_motion=False, initial_weights="torch"),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(
                type=FrameDiscriminator, widths=(64, 128, 256), norm="batch", patches=True, initial_weights="torch"
            ),
            view=dict(type=RandomFrames, number=1),
            adversarial=dict(type=NonSaturatingLoss),
        ),
        video=dict(
            type=Discriminator,
            network=dict(
                type=VideoDiscriminator,
                widths=(64, 128, 256, 512),
                norm="batch",
                halves_time=False,
                last_length=4,
                initial_weights="torch",
            ),
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
                frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame", same_indices=False),
                video_discriminator=dict(type=DiscriminatorLoss, discriminator="video", same_indices=False),
                video_discriminator_category=dict(
                    type=DiscriminatorCategoryLoss, discriminator="video", generated=False
                ),
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
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), weight_decay=1e-5, fused=True),
)

# On data without labels, as options for variants.
_no_labels = {
    "model.labels": [],
    "model.discriminators.video.classify": False,
    "model.phases.discriminators.losses.video_discriminator_category": None,
    "model.phases.generator.losses.video_category": None,
}
