"""ImaGINator on the faces of i2v-truth-v1, 64x64, 16 frames, made to be looked at: 45 minutes on a CPU core.

Paper: Wang et al., 2020; its own model on these data is imaginator_faces. From the paper: encoder, (1+2)D
decoder, fusion of image and label at every size, noise of 512, both discriminators with spectral norm, wrong-labelled
negatives, Adam's betas. From the authors' code: an L1 weight of 100. Not the paper's:

- FRGAN's residual head, its mask held sparse (the paper: a hyperbolic tangent);
- the discriminators train from iteration 8,000 on, and weigh 0.3 at the end: before that they leave a grid on every
frame;
- pixels that move weigh up to five times as much in the L1: expressions are stronger;
- clips begin in one of their first three frames, as the test's do: of any window a face at rest may be the end of an
  expression;
- clips are mirrored at random;
- a moving average of the generator's weights is validated and saved;
- a quarter of the widths, eight clips a batch, bf16, Adam with 1e-3, falling from iteration 6,000 on, discriminators
2e-4.

The noise does next to nothing here: a video follows from image and label. The set's own 24 people train;
its variant 80people has 80.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.imaginator import *
    from .._base_.recipe import *

from i2vkit.models.decoders import TransposedConv1p2dDecoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import AdversarialLoss, FrameL1Loss, MaskSparsityLoss

_end, _discriminator = 12_000, 8000

model["precision"] = "bf16"
model["generator"]["content_encoder"]["widths"] = (16, 32, 64, 128)
model["generator"]["decoder"] = dict(
    type=TransposedConv1p2dDecoder,
    widths=(128, 64, 32, 16),
    temporal_widths=(512, 384, 192, 96, 16),
    time=((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
)
model["generator"]["head"] = dict(type=ResidualHead)
model["discriminators"]["frame"]["network"]["widths"] = (16, 32, 64, 128)
model["discriminators"]["video"]["network"].update(widths=(16, 32, 64, 128), last_length=1)
model["phases"]["discriminators"]["begin"] = _discriminator
model["phases"]["generator"]["losses"] = dict(  # eq. 1
    frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", weight=[(_discriminator, 0.0), (10_000, 0.3)]),
    video_adversarial=dict(type=AdversarialLoss, discriminator="video", weight=[(_discriminator, 0.0), (10_000, 0.3)]),
    frame_l1=dict(type=FrameL1Loss, motion_weight=4.0, weight=100.0),  # eq. 6
    mask=dict(type=MaskSparsityLoss, weight=0.05),
)
train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=16, latest=2)
optim_wrapper["optimizer"]["lr"] = 1e-3
optim_wrapper["per_phase"]["discriminators"]["lr"] = 2e-4
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=200, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.05, begin=_end // 2, end=_end, by_epoch=False),
)

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables "
        "tell it apart from what 24 people give.",
        memory="0.1 GiB in bf16",
        options=_more_people,
    ),
}
