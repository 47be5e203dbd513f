"""The U-Net that is told the places of the motion, with landmarks that are given, on the faces of i2v-truth-v1.

Parent: mix/landmark_unet_recipe_faces. How good are U-Net and warping head if the landmarks are right? A face tracker
gives them, and FRGAN too is given landmarks, of which its normal maps are drawn.

In place of the network that finds 68 landmarks the set's own are read (GivenLandmarks), of the driving video and of the
image. At test a face model that is fitted to both turns the image's head as the driving head is on its first frame
(RetargetLandmarks), which landmarks that only move as the driving ones do cannot. In training the image is of another
clip of the same person, so that heads must turn there, too. A landmark moves what lies within two pixels and not four.
Pixels that move weigh up to five times as much. All else is the parent's.

The set's own 24 people train; variant 80people has 80.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .landmark_unet_recipe_faces import *

from i2vkit.datasets import SamePerson
from i2vkit.datasets.transforms import RetargetLandmarks
from i2vkit.models.encoders import GivenLandmarks

model["generator"]["motion_encoder"] = dict(type=GivenLandmarks, relative=False)
model["generator"]["motion_generator"]["sigma"] = 2.0  # lids and brows are close together
model["passes"]["reconstruct"]["content"] = "image"
model["pretrained"] = None
model["frozen"] = []
model["phases"]["generator"]["losses"]["frame_l1"]["motion_weight"] = 4.0  # the inside of a mouth is small
train_dataloader["dataset"]["pair_sampler"] = dict(type=SamePerson)
for _loader in (train_dataloader, val_dataloader, test_dataloader):
    _loader["dataset"]["points"] = ["landmarks"]
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"]["extra_steps"] = dict(
        landmarks=dict(type=RetargetLandmarks, generator=dict(type=FaceMaps, size=64))
    )

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables "
        "tell it apart from what 24 people give.",
        memory="0.1 GiB in bf16",
        options=_more_people,
    ),
}
