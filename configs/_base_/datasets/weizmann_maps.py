"""Weizmann Actions (the real strips) with silhouettes as condition maps, one channel: people as in weizmann_strips.py.

Training takes random jumps in time; validation animates the first frame of every clip by the silhouettes of 16 frames,
every second one.
"""

from mmengine.config import read_base

with read_base():
    from .weizmann_strips import *

from i2vkit.conditions import Silhouettes
from i2vkit.datasets import ClipFolder
from i2vkit.datasets.transforms import RandomJump

_folder = dict(
    type=ClipFolder,
    root="data/weizmann_maps_64",
    help="The silhouettes are made from the clips: "
    "python tools/prepare_data.py weizmann_strips --source data/weizmann --out data/weizmann_maps_64 --size 64 --maps",
)
train_dataloader["batch_size"] = 32
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1)
for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"]["reader"] = _folder
    _loader["dataset"]["maps"] = dict(channels=1, condition_generator=dict(type=Silhouettes))
test_dataloader = val_dataloader
