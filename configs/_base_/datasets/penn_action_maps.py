"""Penn Action with condition maps of its joints, prepared at 64x64 (tools/prepare_data.py penn_action --maps): FRGAN's
eight actions and three groups of clips, see penn_action.py. Stage one trains on the first, from random jumps in time;
the second validates, the third tests, with the maps of the true poses from a clip's first frame on.
"""

from mmengine.config import read_base

with read_base():
    from .penn_action import *

from i2vkit.conditions import JointHeatmaps
from i2vkit.datasets.transforms import RandomJump, RetargetJoints

train_dataloader["dataset"]["reader"]["help"] += " --maps"
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1)
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader["dataset"]["maps"] = 13
test_dataloader["dataset"]["extra_steps"] = dict(
    retarget=dict(type=RetargetJoints, generator=dict(type=JointHeatmaps, size=64))
)
for _loader in (val_dataloader, test_dataloader):
    _loader["batch_size"] = 4  # a refiner wants whole clips: 32 of them would take many GB
