"""ImaGINator on MUG, 64x64, seven expressions, with the paper's settings.

Paper: Wang et al., 2020. Data: 32 frames, every second one, of clips of 63 frames or more (the paper does not say what
becomes of shorter ones); 42 people train, 10 test. What else the paper leaves open stands in
_base_/models/imaginator.py; the batch size (64) and the iterations (as many as in 5001 epochs of the authors' code) are
the code's. With the paper's L1 weight of 1e-3 the adversarial losses do the work alone; imaginator_mug_released_code.py
has the weight that trains faster. Expected result: SSIM 0.75, PSNR 22.63, video FID 29.02 (table 1; 24.36 in tables 5
and 6), ACD-C 0.141, ACD-I 0.431 (table 3).

Memory of a training step: 6.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug import *
    from ._base_.evaluation_labels import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

model["labels"] = list(train_dataloader["dataset"]["reader"]["labels"])
train_dataloader["batch_size"] = 64
protocols["initial_frames"]["length"] = 63  # 32 frames, every second one
train_cfg.update(max_iters=55_000, val_interval=1000)
