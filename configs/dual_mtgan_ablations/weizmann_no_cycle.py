"""Dual-MTGAN on the Weizmann strips without the motion cycle (L_M; fig. 6).

Memory of a training step: 2.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_weizmann import *

del model["phases"]["generator"]["losses"]["motion_l1"], model["phases"]["generator"]["losses"]["motion_l1_transfer"]
