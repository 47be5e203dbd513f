"""FRGAN's difference of condition maps with DTGAN's U-Net and a residual head, on the faces of i2v-truth-v1.

Parents: truth/frgan_forecast_faces, truth/dtgan_faces. The dense decoder reads the pyramids of image and maps at every
scale; the U-Net has skips from the image alone and the maps' difference as one vector: is the vector enough? Losses and
discriminators are FRGAN's.

Memory of a training step: 2.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.frgan_forecast_faces import *

from i2vkit.models.decoders import UNetDecoder

model["generator"]["content_encoder"] = None  # the U-Net reads the image itself
model["generator"]["decoder"] = dict(
    type=UNetDecoder, widths=(64, 128, 256, 512, 512, 512), dropout=0.0, num_dropouts=0
)
