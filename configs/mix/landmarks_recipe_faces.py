"""Pre-training for mix/landmark_unet_recipe_faces: where the 68 landmarks of a face lie, learned from known ones.

Ours. The people who train have landmarks (prepared sets do); at test none are read. Eight minutes on a CPU core. Clips
are mirrored, cut and coloured anew at random.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.landmark_regressor import *
    from .._base_.runtime import *

from i2vkit.datasets.transforms import RandomColors, RandomCrop, Resize

train_dataloader["batch_size"] = 16
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=4, stride=4)
train_dataloader["dataset"]["points"] = ["landmarks"]
train_dataloader["dataset"]["augmentation"].update(
    cut=dict(type=RandomCrop, smallest=0.9),
    back=dict(type=Resize, size=64),
    colors=dict(type=RandomColors, brightness=0.3, contrast=0.3, saturation=0.3),
)
for _loader in (val_dataloader, test_dataloader):
    _loader["dataset"].update(pair_sampler=None, truth=None, points=["landmarks"])
del protocols["transfer"]  # no videos are made

train_cfg.update(max_iters=3000, val_interval=1000)
default_hooks["checkpoint"].update(interval=1000, save_best="change_r2")
custom_hooks["strips"] = None  # no pictures: nothing is generated

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56.",
        memory="0.1 GiB in fp32",
        options=_more_people,
    ),
}
