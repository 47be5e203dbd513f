"""FRGAN's stage one on Penn Action without the feature similarity (eq. 15), which needs weights to be fetched.

Memory of a training step: 4.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_penn import *

del model["phases"]["generator"]["losses"]["features"]
