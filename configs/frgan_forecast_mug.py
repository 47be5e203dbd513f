"""FRGAN on MUG, 96x96, stage one: the forecasting network alone, which is a row of table 4 of its own.

Paper: Zhao et al., 2018. Data: 19 people train (three even groups; the split is ours). Iterations are ours (the
authors' code runs 20 epochs). What else the paper leaves open stands in _base_/models/frgan_forecast.py. Then:
frgan_refine_mug.py. Expected result, tested on its own: ACD-I 0.252, ACD-C 0.140 (table 4).

Memory of a training step: 7.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug_maps import *
    from ._base_.evaluation_faces import *
    from ._base_.models.frgan_forecast import *
    from ._base_.runtime import *

model["image_size"] = 96
train_cfg.update(max_iters=100_000, val_interval=5000)
