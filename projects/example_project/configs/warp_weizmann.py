"""MoCoGAN on the Weizmann strips with a decoder from outside the package, which warps the input image.

Data and training as in mocogan_weizmann.py. Expected result: none, nobody has trained it to the end.
"""

from mmengine.config import read_base

with read_base():
    from i2vkit.configs.mocogan_weizmann import *

from warping.warp_decoder import WarpDecoder

from i2vkit.models.heads import ResidualHead

model["generator"]["decoder"] = dict(type=WarpDecoder, grid=8)
model["generator"]["head"] = dict(type=ResidualHead)
