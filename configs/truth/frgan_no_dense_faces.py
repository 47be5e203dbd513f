"""FRGAN's stage one on the faces of i2v-truth-v1 without dense connections (table 4, first row).

Memory of a training step: 3.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .frgan_forecast_faces import *

model["generator"]["decoder"]["dense"] = False
