"""FRGAN's stage one on Penn Action without the feature similarity (eq. 15), which needs weights to be fetched."""

from mmengine.config import read_base

with read_base():
    from ..frgan_forecast_penn import *

del model["phases"]["generator"]["losses"]["features"]
