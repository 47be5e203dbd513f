"""ImaGINator on MUG without the frame discriminator: video FID 29.80 (table 5).

Memory of a training step: 6.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

del model["discriminators"]["frame"]
model["phases"]["discriminators"]["updates"] = ["discriminators.video"]
model["phases"]["discriminators"]["losses"]["frame_discriminator"] = None
model["phases"]["generator"]["losses"]["frame_adversarial"] = None
