"""Villegas et al. as FRGAN trains it on MUG: no residual learning, no dense connections, no refiner.

Expected result: ACD-I 0.683, ACD-C 0.130 (table 1).

Memory of a training step: 6.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_mug import *

from i2vkit.models.heads import DirectHead

model["generator"]["decoder"]["dense"] = False
model["generator"]["head"] = dict(type=DirectHead)
del model["phases"]["generator"]["losses"]["mask"]  # it has no mask
