"""DTGAN's appearance-suppressed dynamics with ImaGINator's transposed (1+2)D decoder, on the faces of i2v-truth-v1.

Parents: truth/dtgan_faces, truth/imaginator_faces. Does a decoder that makes the whole clip at once, image and motion
joined at every level, draw transferred motion better than a U-Net frame by frame? It reads the mean of the dynamics
over the clip (an adapter), so all that it knows of the order in time must be in there. Losses and discriminators are
DTGAN's.

Memory of a training step: 1.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.dtgan_faces import *

from i2vkit.models.decoders import TransposedConv1p2dDecoder
from i2vkit.models.encoders import ConvPyramidEncoder

model["generator"]["content_encoder"] = dict(type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=100, bias=True)
model["generator"]["decoder"] = dict(
    type=TransposedConv1p2dDecoder,
    widths=(512, 256, 128, 64),
    temporal_widths=(4096, 3072, 1536, 768, 36),
    time=((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
)
