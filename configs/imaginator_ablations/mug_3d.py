"""ImaGINator on MUG with transposed 3D convolutions, as many parameters: video FID 27.94 (tables 5 and 6).

Memory of a training step: 4.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

from i2vkit.models.decoders import TransposedConv3dDecoder

model["generator"]["decoder"] = dict(type=TransposedConv3dDecoder, widths=(512, 256, 128, 64))
