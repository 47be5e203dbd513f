"""ImaGINator on MUG without noise: video FID 32.38 (table 6).

Memory of a training step: 6.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

model["generator"]["motion_generator"]["noise"] = 0
