"""ImaGINator on MUG without spatio-temporal fusion of the image: video FID 46.02 (table 6).

The label stays in the maps.

Memory of a training step: 6.0 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

model["generator"]["decoder"]["fusion"] = False
