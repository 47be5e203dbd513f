"""ImaGINator on UvA-NEMO, 64x64, without a label, with the paper's settings.

Paper: Wang et al., 2020. Data: 597 spontaneous smiles, 32 frames, every second one; 320 people train, 80 test. Without
labels the video discriminator has no condition and no wrong-label negatives. What else the paper leaves open stands in
_base_/models/imaginator.py; batch size and iterations as in imaginator_mug.py. Expected result: SSIM 0.66, PSNR 20.04,
video FID 16.16 (table 1).

Memory of a training step: 6.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.uva_nemo import *
    from ._base_.evaluation_images import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance

model["labels"] = []  # one kind of smile is no class
model["discriminators"]["video"]["condition"] = None
model["phases"]["discriminators"]["losses"]["video_discriminator"]["wrong_label"] = 0.0
train_dataloader["batch_size"] = 64
protocols["initial_frames"]["length"] = 63  # 32 frames, every second one
test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=55_000, val_interval=1000)
