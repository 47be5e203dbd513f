"""VGAN given the input image on the real Penn Action strips, 64x64, for 16 frames.

Paper: Vondrick et al., 2016. The first block in time makes one frame, not two; the discriminator ends on one step.
Batch of 4 and iterations are ours; what else is open stands in _base_/models/vgan.py. Expected result: none published;
docs/results.md has ours.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.penn_strips import *
    from .._base_.evaluation import *
    from .._base_.models.vgan import *
    from .._base_.runtime import *

model["generator"]["decoder"]["time"] = ((1, 1), (4, 2), (4, 2), (4, 2), (4, 2))
model["discriminators"]["video"]["network"]["last_length"] = 1
train_cfg.update(max_iters=10_000, val_interval=500)
