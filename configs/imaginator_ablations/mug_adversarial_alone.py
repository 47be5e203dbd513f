"""ImaGINator on MUG with the adversarial losses alone (supplement).

Memory of a training step: 6.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

del model["phases"]["generator"]["losses"]["frame_l1"]
