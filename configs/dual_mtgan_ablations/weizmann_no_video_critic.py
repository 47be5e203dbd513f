"""Dual-MTGAN on the Weizmann strips without the video critic (D_V; fig. 6).

Memory of a training step: 2.0 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dual_mtgan_weizmann import *

del model["critics"]["video"]
model["phases"][0]["updates"] = ["critics.image"]
for _phase in model["phases"]:
    _phase["losses"] = [loss for loss in _phase["losses"] if loss.get("critic") != "video"]
