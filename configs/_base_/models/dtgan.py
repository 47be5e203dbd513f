"""DTGAN (Baddar et al., 2017, "Dynamics Transfer GAN"): the model at 64x64.

From the paper: the frozen appearance-suppressed CNN-LSTM (sec. 3.1), the dynamics channel embedder and the U-Net with
dropout as noise (sec. 3.2), the frame discriminator on every frame and the dynamics discriminator on z_T, the losses of
eq. 3 to 7, discriminators before the generator. Left open by the paper, and ours: all widths (pix2pix's for the U-Net),
the weights of eq. 7 (the paper gives none; 1, 100, 10), Adam with 2e-4 and betas (0.5, 0.999), the batch size, and
pix2pix's learning rate: constant in the first half, then falling to zero.

Ours in the parts that this file names (their docstrings say more):

- UNetDecoder: dropout has one mask for a clip, which all its frames share (pix2pix draws one for each image)
- UNetDecoder: the embedder of motion is a linear layer to 4x4 cells and up-convolutions, with He's initial weights and
  tanh
- UNetDecoder: dropout of 0.1 on the motion in the embedder
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR
from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.discriminators import AllFrames, FrameDiscriminator, LastDynamics, VectorDiscriminator
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, FrameL1Loss, MotionCycleLoss, NonSaturatingLoss

with read_base():
    from .motion_encoders import _cnn_lstm_encoder

model = dict(
    type=ImageToVideoGan,
    generator=dict(
        type=Generator,
        content_encoder=None,
        motion_encoder=_cnn_lstm_encoder,
        motion_generator=None,
        decoder=dict(type=UNetDecoder, widths=(64, 128, 256, 512, 512, 512), dropout=0.5, num_dropouts=3),
        head=dict(type=DirectHead),
    ),
    discriminators=dict(
        frame=dict(
            type=Discriminator,
            network=dict(type=FrameDiscriminator, widths=(64, 128, 256, 512), norm="batch"),
            view=dict(type=AllFrames),
            adversarial=dict(type=NonSaturatingLoss),
        ),
        dynamics=dict(
            type=Discriminator,
            network=dict(type=VectorDiscriminator, widths=(256, 128)),
            view=dict(type=LastDynamics),
            adversarial=dict(type=NonSaturatingLoss),
        ),
    ),
    passes=dict(reconstruct=dict(content="driving", motion="driving", target="driving")),
    frozen=["generator.motion_encoder"],
    pretrained=dict(
        motion_encoder=dict(
            part="generator.motion_encoder",
            checkpoint="",
            prefix="network.encoder",
            help="",
        )
    ),
    phases=dict(
        discriminators=dict(
            updates=["discriminators.frame", "discriminators.dynamics"],
            losses=dict(  # eq. 3
                frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
                dynamics_discriminator=dict(type=DiscriminatorLoss, discriminator="dynamics"),
            ),
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(  # eq. 7
                frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", weight=1.0),  # eq. 4
                dynamics_adversarial=dict(type=AdversarialLoss, discriminator="dynamics", weight=1.0),  # eq. 4
                frame_l1=dict(type=FrameL1Loss, weight=100.0),  # eq. 5
                motion_l1=dict(type=MotionCycleLoss, weight=10.0),  # eq. 6
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-4, betas=(0.5, 0.999), fused=True),
)
param_scheduler = dict(decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.0, begin=0, end=0, by_epoch=False))
