"""ImaGINator on MUG with transposed 3D convolutions and without the frame discriminator: video FID 36.93 (table 5).

Memory of a training step: 4.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .mug_no_frame_discriminator import *

from i2vkit.models.decoders import TransposedConv3dDecoder

model["generator"]["decoder"] = dict(type=TransposedConv3dDecoder, widths=(512, 256, 128, 64))
