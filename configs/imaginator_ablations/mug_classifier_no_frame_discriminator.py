"""ImaGINator on MUG with D_V(ac) and without the frame discriminator: video FID 32.57 (table 5).

Memory of a training step: 6.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .mug_classifier import *

del model["discriminators"]["frame"]
model["phases"]["discriminators"]["updates"] = ["discriminators.video"]
model["phases"]["discriminators"]["losses"]["frame_discriminator"] = None
model["phases"]["generator"]["losses"]["frame_adversarial"] = None
