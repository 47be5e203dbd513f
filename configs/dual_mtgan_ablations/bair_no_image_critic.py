"""Dual-MTGAN on BAIR without the image critic (D_I; fig. 6).

Memory of a training step: 3.8 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_bair import *

del model["critics"]["image"]
model["phases"][0]["updates"] = ["critics.video"]
for _phase in model["phases"]:
    _phase["losses"] = [loss for loss in _phase["losses"] if loss.get("critic") != "image"]
