"""ImaGINator on NATOPS, 64x64, 24 gestures, with the paper's settings.

Paper: Wang et al., 2020. Data: 32 successive frames; 15 people train, 5 test. What else the paper leaves open stands in
_base_/models/imaginator.py; batch size and iterations as in imaginator_mug.py. Expected result: SSIM 0.88, PSNR 27.39,
video FID 26.86 (table 1).

Memory of a training step: 6.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.natops import *
    from ._base_.evaluation_labels import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

train_dataloader["batch_size"] = 64
train_cfg.update(max_iters=55_000, val_interval=1000)
