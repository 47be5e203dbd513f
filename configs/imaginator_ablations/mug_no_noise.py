"""ImaGINator on MUG without noise: video FID 32.38 (table 6)."""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

model["generator"]["motion_generator"]["noise"] = 0
