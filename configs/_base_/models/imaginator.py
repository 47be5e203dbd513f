"""ImaGINator (Wang et al., 2020, "Conditional Spatio-Temporal GAN for Video Generation"): the model, 32 x 64x64.

From the paper: encoder, transposed (1+2)D decoder with spatio-temporal fusion of image and label (sec. 3.1.1), the
label-conditioned D_V and D_I on random frames, both with spectral norm (sec. 3.1.2), the losses of eq. 1 to 6, the
negatives of algorithm 1 (generated and wrong-labelled clips weigh a half each), Adam with beta1 0.5, 2e-4 for the
generator and 5e-5 for the discriminators, L1 weight 1e-3 (sec. 4). From the authors' code, where the paper is silent:
all widths, noise of 512, and the initial weights. Ours: the equations are read as cross-entropy on logits with a
non-saturating generator (eq. 4, 5 and algorithm 1 are misprinted), beta2 0.999, N = 1 frame a clip for D_I, biases of
convolutions that start at 0 (the code's at torch's), and the number of iterations, that of the code.

Ours in the parts that this file names (their docstrings say more):

- FrameDiscriminator: spectral norm starts from 15 power iterations, and makes one more in each phase
- VideoDiscriminator: spectral norm starts from 15 power iterations, and makes one more in each phase
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import TransposedConv1p2dDecoder, TransposedConv3dDecoder
from i2vkit.models.discriminators import FrameDiscriminator, RandomFrames, VideoDiscriminator, WholeClip
from i2vkit.models.encoders import ConvPyramidEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    CategoryLoss,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    FrameL1Loss,
    NonSaturatingLoss,
)
from i2vkit.models.motion_generators import LabelFusion

model = dict(
    type=ImageToVideoGan,
    generator=dict(
        type=Generator,
        content_encoder=dict(type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=100, bias=True),
        motion_encoder=None,
        motion_generator=dict(type=LabelFusion, noise=512),
        decoder=dict(
            type=TransposedConv1p2dDecoder, widths=(512, 256, 128, 64), temporal_widths=(4096, 3072, 1536, 768, 36)
        ),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(type=FrameDiscriminator, widths=(64, 128, 256, 512), norm="spectral"),
            view=dict(type=RandomFrames, number=1),
            adversarial=dict(type=NonSaturatingLoss),
        ),
        video=dict(
            type=Discriminator,
            network=dict(type=VideoDiscriminator, widths=(64, 128, 256, 512), norm="spectral", last_length=2),
            view=dict(type=WholeClip),
            condition="label",
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(reconstruct=dict(content="driving", motion="prior", target="driving")),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.frame", "discriminators.video"],
            losses=dict(  # eq. 4 and 5, algorithm 1
                frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
                video_discriminator=dict(type=DiscriminatorLoss, discriminator="video", wrong_label=0.5),
            ),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(  # eq. 1
                frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"),
                video_adversarial=dict(type=AdversarialLoss, discriminator="video"),
                frame_l1=dict(type=FrameL1Loss, weight=1e-3),  # eq. 6
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
    per_phase=dict(discriminators=dict(lr=5e-5)),
)

# Cells of tables 5 and 6, as options for variants. Of the classifier the weight 1 of the category losses is ours, that
# of ACGAN; the generator still reads the label at every level.
_ablations = {
    "3d": {"model.generator.decoder": dict(type=TransposedConv3dDecoder, widths=(512, 256, 128, 64))},
    "no_frame_discriminator": {
        "model.discriminators.frame": None,
        "model.phases.discriminators.updates": ["discriminators.video"],
        "model.phases.discriminators.losses.frame_discriminator": None,
        "model.phases.generator.losses.frame_adversarial": None,
    },
    "classifier": {
        "model.discriminators.video.condition": None,
        "model.discriminators.video.classify": True,
        "model.phases.discriminators.losses.video_discriminator.wrong_label": 0.0,
        "model.phases.discriminators.losses.video_discriminator_category": dict(
            type=DiscriminatorCategoryLoss, discriminator="video"
        ),
        "model.phases.generator.losses.video_category": dict(type=CategoryLoss, discriminator="video"),
    },
    "no_fusion": {"model.generator.decoder.fusion": False},
    "no_noise": {"model.generator.motion_generator.noise": 0},
}
