"""FRGAN's stage one on the real Weizmann strips, 64x64, with silhouettes as condition maps: ours, not the paper's.

Shows the system on real pictures: silhouettes come from the clips themselves (difference to the background, the median
over time). Four people and one of each of their mirror images train, one validates; iterations are ours.

Memory of a training step: 4.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_maps import *
    from ._base_.evaluation import *
    from ._base_.models.frgan_forecast import *
    from ._base_.runtime import *

model["map_channels"] = 1
train_cfg.update(max_iters=20_000, val_interval=1000)
