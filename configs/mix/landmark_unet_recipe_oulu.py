"""DTGAN's recipe, told the places of the motion, on Oulu-CASIA: no maps and no landmarks at test.

Parent: dtgan/dtgan_recipe_oulu, with the motion of mix/landmark_unet_recipe_faces, which says how it works. A test clip
begins with the neutral face, and so do the clips that train. First: tools/train.py mix/landmarks_recipe_oulu, eight
minutes. `make demo` trains both for two minutes each.

Memory of a training step: 0.1 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.models.landmark_regressor import _landmark_encoder
    from ..dtgan.dtgan_recipe_oulu import *

from i2vkit.models.motion_generators import PointMaps

model.update(precision="bf16", channels_last=True)  # the landmarks stay in fp32
model["generator"]["motion_encoder"] = _landmark_encoder
model["generator"]["motion_generator"] = dict(type=PointMaps)
model["pretrained"]["motion_encoder"].update(
    checkpoint="work_dirs/landmarks_recipe_oulu", help="python tools/train.py mix/landmarks_recipe_oulu"
)
