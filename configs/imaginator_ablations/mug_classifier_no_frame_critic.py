"""ImaGINator on MUG with D_V(ac) and without the frame critic: video FID 32.57 (table 5).

Memory of a training step: 6.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .mug_classifier import *

del model["critics"]["frame"]
model["phases"]["critics"]["updates"] = ["critics.video"]
model["phases"]["critics"]["losses"]["frame_critic"] = None
model["phases"]["generator"]["losses"]["frame_adversarial"] = None
