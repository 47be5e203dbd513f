"""VGAN (Vondrick et al., 2016, "Generating Videos with Scene Dynamics"), given the input image: ImaGINator's baseline.

A foreground of 32 frames over a background that stands still, both from the code of the image (no noise, no label, as
in VGAN's own experiment on images), blended by a mask; one discriminator on the whole clip; the mask's L1 with weight
0.1. Ours: the weight 10 of the first frame's L1, which ties the video to its image, and as in ImaGINator all that
neither paper says: widths of 64 to 512, batch norm, Adam with 2e-4 and betas (0.5, 0.999).
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import TwoStreamDecoder
from i2vkit.models.discriminators import VideoDiscriminator, WholeClip
from i2vkit.models.encoders import ConvPyramidEncoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FirstFrameL1Loss,
    MaskSparsityLoss,
    NonSaturatingLoss,
)

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=100),
        motion_encoder=None,
        motion_generator=None,
        decoder=dict(type=TwoStreamDecoder, widths=(512, 256, 128, 64)),
        head=dict(type=ResidualHead),
    ),
    discriminators=dict(
        video=dict(
            type=Discriminator,
            network=dict(type=VideoDiscriminator, widths=(64, 128, 256, 512), norm="batch", last_length=2),
            view=dict(type=WholeClip),
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(reconstruct=dict(content="driving", motion="prior", target="driving")),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.video"],
            losses=dict(video_discriminator=dict(type=DiscriminatorLoss, discriminator="video")),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(
                video_adversarial=dict(type=AdversarialLoss, discriminator="video"),
                mask=dict(type=MaskSparsityLoss, weight=0.1),
                first_frame_l1=dict(type=FirstFrameL1Loss, weight=10.0),
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
)
