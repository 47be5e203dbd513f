"""ImaGINator on MUG without the frame critic: video FID 29.80 (table 5).

Memory of a training step: 6.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

del model["critics"]["frame"]
model["phases"]["critics"]["updates"] = ["critics.video"]
model["phases"]["critics"]["losses"]["frame_critic"] = None
model["phases"]["generator"]["losses"]["frame_adversarial"] = None
