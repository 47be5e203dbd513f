"""MoCoGAN given the input image on the Weizmann strips, 64x64: a baseline of ImaGINator.

Papers: Tulyakov et al., 2018; as a baseline Wang et al., 2020. Data, batch size and iterations as in
imaginator_weizmann.py; what the papers leave open stands in _base_/models/mocogan.py. Expected result: theirs is SSIM
0.42, PSNR 17.58, video FID 116.08 (table 1) on ten actions in other crops, not comparable.

Memory of a training step: 0.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips import *
    from ._base_.evaluation_labels import *
    from ._base_.models.mocogan import *
    from ._base_.runtime import *

for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"]["window"].update(length=32, stride=1)
test_dataloader = val_dataloader
train_cfg.update(max_iters=10_000, val_interval=500)

variants = {
    "ten_actions": dict(
        help="The paper's experiment: Weizmann's own videos, ten actions, six people train and three test, as "
        "imaginator_weizmann_ten_actions. Expected result: SSIM 0.42, PSNR 17.58, video FID 116.08 (table 1).",
        memory="4.1 GiB in fp32",
        data="_base_/datasets/weizmann.py",
        options={
            "train_dataloader.batch_size": 64,
            "train_cfg.max_iters": 55_000,
            "train_cfg.val_interval": 1000,
        },
    ),
    "penn_strips": dict(
        name="mocogan_penn_strips",
        help="The real Penn Action strips, 16 frames. Batch of 4 and iterations are ours. Expected result: none "
        "published; docs/results.md has ours.",
        memory="0.5 GiB in fp32",
        data="_base_/datasets/penn_strips.py",
        options={"protocols.initial_frames": None, "protocols.label_grid": None},  # those are 32 frames
    ),
}
