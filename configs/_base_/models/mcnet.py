"""MCNet (Villegas et al., 2017, "Decomposing Motion and Content for Natural Video Sequence Prediction").

It is given one image.

From the authors' code: the motion encoder (a convolutional LSTM on difference images), the VGG-like content encoder of
the frame before, their fusion at three scales, the decoder that unpools into zeros, the discriminator on all frames as
channels, squared errors, the gradient difference loss with exponent 1, the adversarial loss with weight 0.02, Adam with
1e-4 and betas (0.5, 0.999), batches of 8. Every frame is made from the frame that was made before, in training too.

Ours: one given image, in training too, where the paper has four or ten (FRGAN does not say how it gave MCNet one). It
is told no expression, so that it can only learn the mean motion (mcnet_mug_labelled is). Videos are in [-1, 1], where
the code takes differences on [0, 1], so that the gradient difference loss weighs 0.5. Both sides are updated in every
step: the code switches off the one that is ahead.

Ours in the parts that this file names (their docstrings say more):

- DifferenceEncoder: the difference image of the first frame is 0, since one image is given
- StageMapDecoder: where a motion encoder gives maps of the image too (MapDifferenceEncoder), they are fused like those
  of content
- GradientDifferenceLoss: differences at the border of the picture are left out
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import StageMapDecoder
from i2vkit.models.discriminators import StackedFrameDiscriminator, WholeClip
from i2vkit.models.encoders import DifferenceEncoder, StageEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FrameL2Loss,
    GradientDifferenceLoss,
    NonSaturatingLoss,
)

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(
            type=StageEncoder,
            widths=(64, 128, 256),
            convs=(2, 2, 3),
            norm=None,
            activation="relu",
            pool="max",
            skip="before",
            initial_weights="xavier",
        ),
        motion_encoder=dict(type=DifferenceEncoder, widths=(64, 128, 256), kernels=(5, 5, 7)),
        motion_generator=None,
        decoder=dict(type=StageMapDecoder, widths=(256, 128, 64), convs=(3, 2, 2), up="zeros", skips="add"),
        head=dict(type=DirectHead),
        skips_from="past",
    ),
    discriminators=dict(
        clip=dict(
            type=Discriminator,
            network=dict(type=StackedFrameDiscriminator, widths=(64, 128, 256, 512), frames=16),
            view=dict(type=WholeClip),
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(reconstruct=dict(content="driving", motion="prior", target="driving", feed="own")),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.clip"],
            losses=dict(clip_discriminator=dict(type=DiscriminatorLoss, discriminator="clip")),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(
                frame_l2=dict(type=FrameL2Loss),
                gradient_difference=dict(type=GradientDifferenceLoss, power=1.0, weight=0.5),
                clip_adversarial=dict(type=AdversarialLoss, discriminator="clip", weight=0.02),
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=1e-4, betas=(0.5, 0.999), fused=True),
)
