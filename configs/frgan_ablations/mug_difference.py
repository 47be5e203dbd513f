"""FRGAN's stage one on MUG with the plain difference of eq. 1 in place of mask and content.

Memory of a training step: 7.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_mug import *

model["generator"]["head"]["mask"] = False
del model["phases"]["generator"]["losses"]["mask"]  # it has no mask
