"""DTGAN with FRGAN's residual head, on the faces of i2v-truth-v1: U-Net and dynamics as they are.

Parents: truth/dtgan_faces, truth/frgan_forecast_faces. Does a face stay the same person when the U-Net paints only what
changes over the input image (eq. 2 of FRGAN, with its mask loss), in place of every pixel anew?

Memory of a training step: 1.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.dtgan_faces import *

from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss

model["generator"]["head"] = dict(type=ResidualHead)
model["phases"]["generator"]["losses"]["mask"] = dict(type=MaskSparsityLoss, weight=0.05)
