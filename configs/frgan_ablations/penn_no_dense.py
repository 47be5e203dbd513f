"""FRGAN's stage one on Penn Action without dense connections (table 4, first row: MSE 0.027).

Memory of a training step: 5.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_penn import *

model["generator"]["decoder"]["dense"] = False
