"""Monkey-Net (Siarohin et al., "Animating arbitrary objects via deep motion transfer", 2019).

From the released code (settings of BAIR and Nemo): ten points, all layers and widths (a detector of 9,412,600
parameters, the rest of the generator 19,088,315, a discriminator of 1,719,489), two frames of a clip a sample, turned
round half the time, the losses and their weights, Adam with 2e-4 and betas (0.5, 0.999), batch 32, relative transfer.

Frames are in [-1, 1] here and come from a hyperbolic tangent (the code: [0, 1] and a sigmoid). So the weights of losses
on frames are half of the code's, those on features are the code's. The two frames of a sample are always different ones
(the code draws with replacement). Each heatmap sums to 1, as for BAIR (other sets of the code: a peak of 0.01).

Ours in the parts that this file names (their docstrings say more):

- KeypointEncoder: pictures are in [-1, 1] (the released codes: in [0, 1])
- DenseFlow: beyond the image its border goes on (the released codes: zeros)
- WarpedPyramidDecoder: an offset and not a place is resized for each level, so that a flow of 0 leaves every level as
  it is
- WarpedPyramidDecoder: beyond the image its border goes on (the released codes: zeros)
"""

from mmengine.optim import MultiStepLR
from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import WarpedPyramidDecoder
from i2vkit.models.discriminators import AllFrames, PooledFrameDiscriminator
from i2vkit.models.encoders import KeypointEncoder, StageEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    BaseL1Loss,  # noqa: F401  for configs of BAIR
    DiscriminatorLoss,
    FeatureMatchingLoss,
    FrameL1Loss,
    LeastSquaresLoss,
)
from i2vkit.models.motion_generators import DenseFlow

_widths = (64, 128, 256, 512, 512)
model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(type=StageEncoder, widths=_widths, convs=(1, 1, 1, 1, 1), norm="batch", pool="average"),
        motion_encoder=dict(type=KeypointEncoder, num_points=10, widths=_widths, temperature=0.1),
        motion_generator=dict(type=DenseFlow, widths=_widths),
        decoder=dict(type=WarpedPyramidDecoder, residual_blocks=4),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(type=PooledFrameDiscriminator, widths=(64, 128, 256, 256)),
            view=dict(type=AllFrames),
            condition="points",
            adversarial=dict(type=LeastSquaresLoss),
        ),
    ),
    passes=dict(forecast=dict(content="image", motion="driving", target="driving")),
    phases=dict(
        generator=dict(
            updates=["generator"],
            losses=dict(
                frame_l1=dict(type=FrameL1Loss, pass_name="forecast", weight=5.0),
                frame_features=dict(
                    type=FeatureMatchingLoss,
                    discriminator="frame",
                    passes="forecast",
                    channel_weights=(10.0, 10.0, 10.0, 1.0),
                ),
                base_l1=None,  # of BAIR alone
                frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", passes="forecast"),
            ),
        ),
        discriminators=dict(
            updates=["discriminators.frame"],
            losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame", passes="forecast")),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
)
param_scheduler = dict(decay=dict(type=MultiStepLR, milestones=[50_000], gamma=0.1, by_epoch=False))
