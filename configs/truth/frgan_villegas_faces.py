"""Villegas et al. as FRGAN trains it, on the faces of i2v-truth-v1: no residual learning, no dense connections, no
refiner.

Memory of a training step: 3.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .frgan_forecast_faces import *

from i2vkit.models.heads import DirectHead

model["generator"]["decoder"]["dense"] = False
model["generator"]["head"] = dict(type=DirectHead)
del model["phases"]["generator"]["losses"]["mask"]  # it has no mask
