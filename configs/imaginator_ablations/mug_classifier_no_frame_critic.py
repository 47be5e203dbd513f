"""ImaGINator on MUG with D_V(ac) and without the frame critic: video FID 32.57 (table 5).

Memory of a training step: 6.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .mug_classifier import *

del model["critics"]["frame"]
model["phases"][0]["updates"] = ["critics.video"]
for _phase in model["phases"]:
    _phase["losses"] = [loss for loss in _phase["losses"] if loss.get("critic") != "frame"]
