"""The pose LSTM of FRGAN's condition generator on Penn Action: sees ten poses, predicts 32.

Paper: FRGAN (Zhao et al., 2018), sec. 4.1, which takes it over from Villegas et al., 2017: one LSTM of 1024 units, Adam
at 1e-3, a masked L2 loss. Trained on the clips of FRGAN's first stage, validated on those of its second. The joints are
those of the prepared, cropped frames. Iterations are ours, as is predicting the change since the last pose seen.
Expected result: none published; it has to be better than to repeat the last pose (pose_error_improvement above 0).

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base
from torch.optim import Adam

with read_base():
    from ._base_.datasets.penn_action import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import FirstFrames, RandomWindow
from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.evaluation.metrics import PoseError
from i2vkit.models import PoseLstm, SupervisedModel
from i2vkit.models.losses import PoseLoss

model = dict(
    type=SupervisedModel,
    labels=[],  # it reads none
    network=dict(type=PoseLstm, observed=10, hidden=1024),
    phases=dict(poses=dict(updates=["network"], losses=dict(pose=dict(type=PoseLoss)))),
)
for _loader, _window in (
    (train_dataloader, RandomWindow),
    (val_dataloader, FirstFrames),
    (test_dataloader, FirstFrames),
):
    _loader["dataset"]["window"] = dict(type=_window, length=42, stride=1)
    _loader["dataset"]["min_frames"] = 42
test_dataloader["dataset"]["truth"] = None
optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=1e-3, betas=(0.9, 0.999)),
    clip_grad=dict(max_norm=1.0),
)
test_evaluator = val_evaluator = dict(pose_error=dict(type=PoseError))
train_cfg.update(max_iters=5000, val_interval=500)
default_hooks["checkpoint"].update(interval=500, save_best="pose_error", rule="less")
custom_hooks["strips"] = None  # no pictures: nothing is generated
