"""Pre-training for mix/landmark_unet_recipe_oulu: where the 68 landmarks of a face lie, learned from known ones.

Ours, as mix/landmarks_recipe_faces, on the 70 people of Oulu-CASIA that train. Preparation keeps the landmarks by which
it cuts the faces out. Eight minutes on a CPU core.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.oulu_casia import *
    from .._base_.evaluation import *
    from .._base_.models.landmark_regressor import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import RandomColors, RandomCrop, RandomFlip, RandomWindow, Resize

train_dataloader.update(batch_size=16, num_workers=0, persistent_workers=False)
train_dataloader["dataset"].update(
    window=dict(type=RandomWindow, length=4, stride=4),
    points=["landmarks"],
    augmentation=dict(
        flip=dict(type=RandomFlip),
        cut=dict(type=RandomCrop, smallest=0.9),
        back=dict(type=Resize, size=64),
        colors=dict(type=RandomColors, brightness=0.3, contrast=0.3, saturation=0.3),
    ),
)
val_dataloader.update(num_workers=0, persistent_workers=False)
val_dataloader["dataset"].update(truth=None, points=["landmarks"])
test_dataloader = val_dataloader
del protocols["transfer"]  # no videos are made

train_cfg.update(max_iters=3000, val_interval=1000)
default_hooks["checkpoint"].update(interval=1000, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated
