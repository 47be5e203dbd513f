"""DTGAN's dynamics for FRGAN's image encoder, dense decoder and residual head, on the faces of i2v-truth-v1.

Parents: truth/dtgan_faces, truth/frgan_forecast_faces. FRGAN needs condition maps, hence a face model and landmarks:
how much is lost if a vector a frame, learnt from expressions alone, takes their place? Losses and discriminators are
DTGAN's, with FRGAN's mask loss.

Memory of a training step: 6.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .dtgan_residual import *

from i2vkit.models.decoders import DenseDecoder
from i2vkit.models.encoders import ResidualPyramidEncoder

model["generator"]["content_encoder"] = dict(type=ResidualPyramidEncoder, width=64, max_width=512, code=128)
model["generator"]["decoder"] = dict(type=DenseDecoder, width=64, max_width=512, dense=True)
