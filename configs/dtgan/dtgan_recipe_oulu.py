"""DTGAN on Oulu-CASIA, 64x64, made to be looked at: 45 minutes on a CPU core.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN"; the paper's own model is dtgan_oulu.py, and its data, split and
protocol are kept. What is not the paper's stands in _base_/models/dtgan_recipe.py. First: tools/train.py
configs/dtgan/cnn_lstm_recipe_oulu.py, a minute.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.oulu_casia import *
    from .._base_.evaluation import *
    from .._base_.models.dtgan_recipe import *
    from .._base_.recipe import *

from i2vkit.evaluation.protocols import Transfer

model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_recipe_oulu"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py dtgan/cnn_lstm_recipe_oulu"
train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader.update(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader

# The 24 clips of four of the ten test people drive all ten: 240 videos (sec. 4.3).
protocols["transfer"] = dict(
    type=Transfer, driving_people="oulu_casia/transfer_driving", image_people="oulu_casia/test"
)
