"""Dual-MTGAN on the faces of i2v-truth-v1 as dual_mtgan_recipe_faces_80people.py, with a head that warps the image.

A mix that no paper has: the motion of Dual-MTGAN, the content warped and painted over (``WarpHead``), its flow averaged
over 5x5 pixels, as transposed convolutions make a checkerboard of it.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .dual_mtgan_recipe_faces_80people import *

from i2vkit.models.heads import WarpHead

model["generator"]["head"] = dict(type=WarpHead, max_displacement=6.0, mask_bias=-1.0, smooth=5)
