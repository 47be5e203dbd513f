"""A landmark encoder that is pre-trained on clips whose landmarks are known (ours).

A small CNN tells where the 68 landmarks of a frame lie. Generators take it frozen, and then need no landmarks.
"""

from mmengine.optim import LinearLR
from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.evaluation.metrics import MotionChangeR2
from i2vkit.models import LandmarkRegressor, SupervisedModel
from i2vkit.models.encoders import ConvFrameEncoder, LandmarkEncoder
from i2vkit.models.losses import LandmarkLoss

_landmark_encoder = dict(
    type=LandmarkEncoder,
    frame_encoder=dict(type=ConvFrameEncoder, widths=(16, 32, 64, 128), features=256),
)

model = dict(
    type=SupervisedModel,
    labels=[],  # it reads none
    network=dict(type=LandmarkRegressor, encoder=_landmark_encoder),
    phases=dict(landmarks=dict(updates=["network"], losses=dict(landmarks=dict(type=LandmarkLoss)))),
)
optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=1e-3, betas=(0.9, 0.99), fused=True),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = dict(
    warmup=dict(type=LinearLR, start_factor=0.05, end_factor=1.0, begin=0, end=100, by_epoch=False),
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.02, begin=1500, end=3000, by_epoch=False),
)
val_evaluator = test_evaluator = dict(change_r2=dict(type=MotionChangeR2))
