"""VGAN given the input image on the faces of i2v-truth-v1, 64x64, for 16 frames: it knows neither label nor motion.

Paper: Vondrick et al., 2016. The first block in time makes one frame, not two; the discriminator ends on one step.
Batch size and iterations are ours; what else is open stands in _base_/models/vgan.py. Expected result: none published
for these data; docs/results.md has ours.

Memory of a training step: 0.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.vgan import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance, VideoFid

model["generator"]["decoder"]["time"] = ((1, 1), (4, 2), (4, 2), (4, 2), (4, 2))
model["discriminators"]["video"]["network"]["last_length"] = 1
train_dataloader["dataset"]["pair_sampler"] = None
test_evaluator.update(video_fid=dict(type=VideoFid), content_distance=dict(type=ContentDistance))
train_cfg.update(max_iters=20_000, val_interval=1000)
