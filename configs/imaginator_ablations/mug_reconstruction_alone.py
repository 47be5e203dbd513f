"""ImaGINator on MUG with the L1 loss alone (supplement).

Memory of a training step: 5.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..imaginator_mug import *

model["discriminators"] = dict()
model["phases"] = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss))))
optim_wrapper["per_phase"] = dict()
