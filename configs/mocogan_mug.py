"""MoCoGAN given the input image on MUG, 64x64: a baseline of ImaGINator.

Papers: Tulyakov et al., 2018; as a baseline Wang et al., 2020. Data, batch size and iterations as in imaginator_mug.py;
what the papers leave open stands in _base_/models/mocogan.py. Expected result: SSIM 0.58, PSNR 18.16, video FID 45.46
(table 1), ACD-C 0.158, ACD-I 0.904 (table 3).

Memory of a training step: 3.7 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug import *
    from ._base_.evaluation_labels import *
    from ._base_.models.mocogan import *
    from ._base_.runtime import *

train_dataloader["batch_size"] = 64
protocols["initial_frames"]["length"] = 63  # 32 frames, every second one
train_cfg.update(max_iters=55_000, val_interval=1000)
