"""Dual-MTGAN on BAIR without the motion cycle (L_M; fig. 6).

Memory of a training step: 3.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_bair import *

del model["phases"]["generator"]["losses"]["motion_l1"], model["phases"]["generator"]["losses"]["motion_l1_transfer"]
