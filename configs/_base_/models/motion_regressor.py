"""A CNN-LSTM that is pre-trained without labels: its states tell the change of the picture since the first frame.

Ours, in the place of DTGAN's pre-training by labels (Kim et al., 2017). The encoder is that of cnn_lstm_recipe.py, on
pictures of half the size: of four times as many clips in the same time it learned to tell more.
"""

from mmengine.optim import LinearLR
from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.evaluation.metrics import MotionChangeR2
from i2vkit.models import MotionRegressor, SupervisedModel
from i2vkit.models.encoders import CnnLstmEncoder, ConvFrameEncoder
from i2vkit.models.losses import FrameChangeLoss

model = dict(
    type=SupervisedModel,
    labels=[],  # it reads none
    network=dict(
        type=MotionRegressor,
        encoder=dict(
            type=CnnLstmEncoder,
            frame_encoder=dict(type=ConvFrameEncoder, widths=(16, 32, 64, 128), features=256),
            hidden=256,
            input_size=32,
        ),
        side=16,
    ),
    phases=dict(change=dict(updates=["network"], losses=dict(frame_change=dict(type=FrameChangeLoss)))),
)
optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=1e-3, betas=(0.9, 0.999), fused=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = dict(
    decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.02, begin=600, end=1200, by_epoch=False)
)
val_evaluator = test_evaluator = dict(change_r2=dict(type=MotionChangeR2))
