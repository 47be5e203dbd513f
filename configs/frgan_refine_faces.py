"""FRGAN's stage two on the faces of i2v-truth-v1, 64x64: clips of 16 frames from the frozen stage one, refined.

Paper: Zhao et al., 2018. First: tools/train.py frgan_forecast_faces. Iterations and a window of 16
frames, the length of the set's clips, are ours. Expected result: none published for these data; docs/results.md has
ours.

Memory of a training step: 5.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.frgan_refine import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomJump
from i2vkit.evaluation.metrics import ContentDistance

model["generator"]["refiner"]["window"] = 16
for _entry in model["pretrained"].values():
    _entry.update(checkpoint="work_dirs/frgan_forecast_faces", help="python tools/train.py frgan_forecast_faces")
train_dataloader["dataset"]["pair_sampler"] = None
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=16)
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=10_000, val_interval=1000)
