"""DTGAN on the figures of i2v-truth-v1, 64x64, 16 frames: 45 minutes on a CPU core.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN"; its model on these data is dtgan_figures. What is not the
paper's stands in _base_/models/dtgan_recipe.py; besides, the motion encoder is pre-trained without labels
(tools/train.py dtgan/cnn_lstm_recipe_figures, a minute), the flow reaches 32 pixels, half the picture, as
people walk, and is averaged over 5x5, and pixels that move weigh up to five times as much. The set's own 12 people
train.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_figures_without_maps import *
    from .._base_.models.dtgan_recipe import *
    from .._base_.recipe import *

model["generator"]["motion_encoder"]["input_size"] = 32
model["generator"]["head"].update(max_displacement=32.0, smooth=5)
model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_recipe_figures"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py dtgan/cnn_lstm_recipe_figures"
model["phases"]["generator"]["losses"]["frame_l1"]["motion_weight"] = 4.0
train_dataloader["batch_size"] = 4
