"""VGAN (Vondrick et al., 2016, "Generating Videos with Scene Dynamics"), given the input image: ImaGINator's baseline.

A foreground of 32 frames over a background that stands still, both from the code of the image (no noise, no label, as
in VGAN's own experiment on images), blended by a mask; one discriminator on the whole clip; the mask's L1 with weight
0.1. Networks, losses and Adam with 2e-4 and betas (0.5, 0.999) are those of the authors' script without an image
(main.lua), behind an encoder of ImaGINator's widths with a code of 100, which takes the noise's place. The weight 10 of
the first frame's L1, which ties the video to its image, is that of their script for given images
(main_conditional.lua). Initial weights of N(0, 0.02), not 0.01, and all that neither paper says are ours.

Their script for given images is another network: no code, both streams from a map of 1024 x 4x4, twice the widths, no
L1 of the mask. ``_released_code`` below makes this model into it, for instance vgan_mug_released_code. All rows of
tables in docs/ are of the model with a code.
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import TwoStreamDecoder, TwoStreamMapDecoder
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

# The authors' script for given images, as options for variants. Its batch norms have an eps of 1e-3, ours 1e-5.
_released_code = {
    "model.generator.content_encoder": dict(
        type=ConvPyramidEncoder, widths=(128, 256, 512, 1024), first_norm=False, slope=0.0, initial_weights=0.01
    ),
    "model.generator.decoder": dict(type=TwoStreamMapDecoder, widths=(1024, 512, 256, 128), initial_weights=0.01),
    "model.discriminators.video.network.widths": (128, 256, 512, 1024),
    "model.discriminators.video.network.initial_weights": 0.01,
    "model.phases.generator.losses.mask": None,
}
