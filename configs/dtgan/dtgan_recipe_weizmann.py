"""DTGAN on the Weizmann strips, 64x64, made to be looked at: 18 minutes on a CPU core.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN"; it has no experiment on Weizmann, and its model on these data is
dtgan_weizmann.py. What is not the paper's stands in _base_/models/dtgan_recipe.py; besides, the motion encoder is
pre-trained without labels (tools/train.py dtgan/cnn_lstm_recipe_weizmann, a minute), the flow reaches 12
pixels and is averaged over 5x5, and 6,000 iterations are enough for 40 clips.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.weizmann_strips import *
    from .._base_.evaluation import *
    from .._base_.models.dtgan_recipe import *
    from .._base_.recipe import *

_end, _discriminator = 6000, 4500

model["generator"]["motion_encoder"]["input_size"] = 32
model["generator"]["head"].update(max_displacement=12.0, smooth=5)
model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_recipe_weizmann"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py dtgan/cnn_lstm_recipe_weizmann"
model["phases"]["discriminators"]["begin"] = _discriminator - 300
model["phases"]["generator"]["losses"]["frame_adversarial"]["weight"] = [
    (_discriminator, 0.0),
    (_discriminator + 1, 0.3),
]
train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader.update(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
train_cfg.update(max_iters=_end, val_interval=2000)
param_scheduler["decay"].update(begin=_end // 2, end=_end)
