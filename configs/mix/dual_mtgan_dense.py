"""Dual-MTGAN's variational motion with FRGAN's image encoder, dense decoder and residual head, on the faces of
i2v-truth-v1.

Parents: truth/dual_mtgan_faces, truth/frgan_forecast_faces. A frame decoder without skips has to remember a face in one
code: does motion that is drawn or transferred look better where only what changes is painted over the given image?
Losses and discriminators are Dual-MTGAN's, with FRGAN's mask loss.

Memory of a training step: 14.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.dual_mtgan_faces import *

from i2vkit.models.decoders import DenseDecoder
from i2vkit.models.encoders import ResidualPyramidEncoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss

model["generator"]["content_encoder"] = dict(type=ResidualPyramidEncoder, width=64, max_width=512, code=128)
model["generator"]["decoder"] = dict(type=DenseDecoder, width=64, max_width=512, dense=True)
model["generator"]["head"] = dict(type=ResidualHead)
model["phases"]["generator"]["losses"]["mask"] = dict(type=MaskSparsityLoss, pass_name="reconstruct", weight=0.05)
