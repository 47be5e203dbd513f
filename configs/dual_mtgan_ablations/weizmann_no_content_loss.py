"""Dual-MTGAN on the Weizmann strips without the loss on the content's change (L_C; fig. 6), which is still logged.

Memory of a training step: 2.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_weizmann import *

model["phases"]["generator"]["losses"]["content_l1"]["weight"] = 0.0
