"""Villegas et al. as FRGAN trains it on Penn Action: no residual learning, no dense connections, no refiner.

Expected result: MSE 0.025 with true poses, 0.030 with forecast ones (table 3).

Memory of a training step: 5.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_penn import *

from i2vkit.models.heads import DirectHead

model["generator"]["decoder"]["dense"] = False
model["generator"]["head"] = dict(type=DirectHead)
del model["phases"]["generator"]["losses"]["mask"]  # it has no mask
