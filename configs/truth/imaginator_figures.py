"""ImaGINator on the figures of i2v-truth-v1, 64x64, for 16 frames: it knows a clip's label, not its motion.

Paper: Wang et al., 2020. The first block in time makes one frame, not two; D_V ends on one step. The L1 weight is 100,
that of the authors' code. Batch size and iterations are ours; what else is open stands in _base_/models/imaginator.py.
Expected result: none published for these data; docs/results.md has ours.

Memory of a training step: 1.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures import *
    from .._base_.models.imaginator import *
    from .._base_.runtime import *

model["labels"] = list(train_dataloader["dataset"]["reader"]["labels"])
model["generator"]["decoder"]["time"] = ((1, 1), (4, 2), (4, 2), (4, 2), (4, 2))
model["discriminators"]["video"]["network"]["last_length"] = 1
model["phases"]["generator"]["losses"]["frame_l1"]["weight"] = 100.0
train_dataloader["dataset"]["pair_sampler"] = None
train_cfg.update(max_iters=20_000, val_interval=1000)
