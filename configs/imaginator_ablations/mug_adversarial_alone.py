"""ImaGINator on MUG with the adversarial losses alone (supplement)."""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

del model["phases"]["generator"]["losses"]["frame_l1"]
