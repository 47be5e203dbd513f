"""Pre-training of a motion encoder on faces without labels: its states tell how far each landmark has moved.

Ours, for sets that know no expressions but have landmarks (prepared ones do): of the pre-trainings that were tried it
tells least of who drives, as colours are drawn anew and clips are mirrored. It takes the place of
cnn_lstm_recipe_faces.py: model.pretrained.motion_encoder.checkpoint=work_dirs/cnn_lstm_recipe_faces_landmarks for
dtgan_recipe_faces.py. 240 iterations of 8 clips, the encoder's widths as there.

Memory of a training step: 0.2 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.motion_regressor import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import RandomColors
from i2vkit.models.losses import LandmarkChangeLoss

model["network"]["encoder"]["input_size"] = None  # brows and lids are a few pixels
model["network"].update(side=0, num_landmarks=68)
model["phases"] = dict(landmarks=dict(updates=["network"], losses=dict(landmark_change=dict(type=LandmarkChangeLoss))))
train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["points"] = ["landmarks"]
train_dataloader["dataset"]["augmentation"]["colors"] = dict(
    type=RandomColors, brightness=0.4, contrast=0.4, saturation=0.4
)
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None, points=["landmarks"])
del protocols["transfer"]  # no videos are made

param_scheduler["decay"].update(begin=120, end=240)
train_cfg.update(max_iters=240, val_interval=240)
default_hooks["checkpoint"].update(interval=240, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated
