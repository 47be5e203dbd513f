"""DTGAN's recipe, told the places of the motion, on the faces of i2v-truth-v1: no maps and no landmarks at test.

Parent: dtgan/dtgan_recipe_faces. DTGAN's one code for a whole picture must tell all of a face's motion, and the U-Net
must learn where it belongs. How much better is a model that sees where the landmarks go?

In place of the CNN-LSTM a frozen network finds 68 landmarks in every frame of the driving video and in the image
(LandmarkEncoder). The image's landmarks move as the driving ones have moved since the first frame. PointMaps draws the
flow between them, and the U-Net reads these maps beside the image. The displacements themselves take the place of Z.
U-Net, warping head, losses and schedules are the recipe's (_base_/models/dtgan_recipe.py says what of it is DTGAN's).
Clips begin in one of their first three frames, as the test's do. Every second of 16 frames is read: what a frame shows
does not depend on those between.

First: tools/train.py mix/landmarks_recipe_faces, eight minutes. The set's own 24 people train; variant 80people has 80.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.models.landmark_regressor import _landmark_encoder
    from ..dtgan.dtgan_recipe_faces import *

from i2vkit.models.motion_generators import PointMaps

train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=8, stride=2, latest=2)
model.update(precision="bf16", channels_last=True)  # the landmarks stay in fp32
model["generator"]["motion_encoder"] = _landmark_encoder
model["generator"]["motion_generator"] = dict(type=PointMaps)
model["pretrained"]["motion_encoder"].update(
    checkpoint="work_dirs/landmarks_recipe_faces", help="python tools/train.py mix/landmarks_recipe_faces"
)

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56, and "
        "tools/train.py mix/landmarks_recipe_faces_80people. Tables tell it apart from what 24 people give.",
        memory="0.1 GiB in bf16",
        options=_more_people
        | {
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/landmarks_recipe_faces_80people",
            "model.pretrained.motion_encoder.help": "python tools/train.py mix/landmarks_recipe_faces_80people",
        },
    ),
}
