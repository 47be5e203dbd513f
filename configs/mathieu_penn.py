"""Mathieu et al. on Penn Action, 64x64, 32 frames, given one image: a baseline of FRGAN, one model for all actions.

Papers: Mathieu et al., 2016; as a baseline Zhao et al., 2018. Data: the first third of each action's clips trains, the
last tests, from their first frames on. 16 frames train and 32 test. Batch of 8 is that of both public codes, iterations
are ours; what else is open stands in _base_/models/mathieu.py. Expected result: MSE 0.041 (FRGAN, table 3), PSNR by
action in its fig. 7. It has not been trained yet. What it means is told by mse_static_baseline beside it.

Memory of a training step: 4.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.penn_action import *
    from ._base_.evaluation_images import *
    from ._base_.models.mathieu import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomWindow
from i2vkit.evaluation.metrics import Mse
from i2vkit.evaluation.protocols import Continuation

val_evaluator["mse"] = test_evaluator["mse"] = dict(type=Mse)
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader["dataset"]["points"] = None  # no joints are read
train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=16, stride=1)
train_cfg.update(max_iters=100_000, val_interval=5000)

variants = {
    "four_observed": dict(
        help="The paper's own setting: four frames are given. 28 more are made and scored from the fourth one on.",
        memory="4.5 GiB in fp32",
        options={"protocols.continuation": dict(type=Continuation, observed=4, length=32)},
    ),
    "wrong_past": dict(
        help="Half of the negatives are true frames behind the history of another clip, as in the authors' code.",
        memory="4.5 GiB in fp32",
        options=_wrong_past,
    ),
    "script": dict(
        help="The narrow generator of the authors' training script, 223,644 parameters.",
        memory="0.7 GiB in fp32",
        options=_script,
    ),
}
