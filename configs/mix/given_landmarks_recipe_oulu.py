"""The U-Net that is told the places of the motion by given landmarks, on Oulu-CASIA. `make demo` trains it briefly.

Parent: dtgan/dtgan_recipe_oulu, with the motion of mix/given_landmarks_recipe_faces, which says how it works. Nothing
is pre-trained: preparation keeps the landmarks by which it cuts the faces out, and they are read at test too.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from ..dtgan.dtgan_recipe_oulu import *

from i2vkit.models.encoders import GivenLandmarks
from i2vkit.models.motion_generators import PointMaps

model.update(precision="bf16", channels_last=True, pretrained=None, frozen=[])
model["generator"]["motion_encoder"] = dict(type=GivenLandmarks)
model["generator"]["motion_generator"] = dict(type=PointMaps)
model["phases"]["generator"]["losses"]["frame_l1"]["motion_weight"] = 4.0  # the inside of a mouth is small
train_dataloader["dataset"]["points"] = ["landmarks"]
val_dataloader["dataset"]["points"] = ["landmarks"]
test_dataloader = val_dataloader
