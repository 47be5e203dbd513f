"""ImaGINator on the Weizmann strips with the paper's L1 weight of 1e-3 (imaginator_weizmann.py has 100).

Memory of a training step: 1.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .imaginator_weizmann import *

model["phases"]["generator"]["losses"]["frame_l1"]["weight"] = 1e-3
