"""FRGAN's stage one on MUG with the plain difference of eq. 1 in place of mask and content."""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_mug import *

model["generator"]["head"]["mask"] = False
del model["phases"]["generator"]["losses"]["mask"]  # it has no mask
