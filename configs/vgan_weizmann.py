"""VGAN given the input image on the Weizmann strips, 64x64: a baseline of ImaGINator.

Papers: Vondrick et al., 2016; as a baseline Wang et al., 2020. Data, batch size and iterations as in
imaginator_weizmann.py; what the papers leave open stands in _base_/models/vgan.py. Expected result: theirs is SSIM
0.29, PSNR 15.78, video FID 127.31 (table 1) on ten actions in other crops, not comparable.

Memory of a training step: 0.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips import *
    from ._base_.evaluation_images import *
    from ._base_.models.vgan import *
    from ._base_.runtime import *

for _loader in (train_dataloader, val_dataloader):
    _loader["dataset"]["window"].update(length=32, stride=1)
test_dataloader = val_dataloader
train_cfg.update(max_iters=10_000, val_interval=500)

variants = {
    "ten_actions": dict(
        help="The paper's experiment: Weizmann's own videos, ten actions, six people train and three test, as "
        "imaginator_weizmann_ten_actions. Expected result: SSIM 0.29, PSNR 15.78, video FID 127.31 (table 1).",
        memory="2.8 GiB in fp32",
        data="_base_/datasets/weizmann.py",
        options={
            "train_dataloader.batch_size": 64,
            "train_cfg.max_iters": 55_000,
            "train_cfg.val_interval": 1000,
        },
    ),
    "penn_strips": dict(
        name="vgan_penn_strips",
        help="The real Penn Action strips, for 16 frames. The first block in time makes one frame, not two; the "
        "discriminator ends on one step. Batch of 4 and iterations are ours. Expected result: none published; "
        "docs/results.md has ours.",
        memory="0.5 GiB in fp32",
        data="_base_/datasets/penn_strips.py",
        options={
            "model.generator.decoder.time": ((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
            "model.discriminators.video.network.last_length": 1,
            "protocols.initial_frames": None,  # those are 32 frames
        },
    ),
}
