"""ImaGINator on MUG with transposed 3D convolutions and D_V(ac): video FID 33.08 (table 5).

Memory of a training step: 5.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .mug_classifier import *

from i2vkit.models.decoders import TransposedConv3dDecoder

model["generator"]["decoder"] = dict(type=TransposedConv3dDecoder, widths=(512, 256, 128, 64))
