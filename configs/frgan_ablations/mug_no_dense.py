"""FRGAN's stage one on MUG without dense connections (table 4, first row: ACD-I 0.459, ACD-C 0.155).

Memory of a training step: 6.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_mug import *

model["generator"]["decoder"]["dense"] = False
