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

from mmengine.optim import LinearLR

train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "narrow": dict(
        help="Under an hour on one CPU core: half the widths in all networks, the same losses. The paper has no such "
        "run. Batches of 8, a learning rate of 3e-4 that falls over the last third. docs/results.md has what came"
        " out.",
        memory="0.7 GiB in fp32",
        options={
            "model.generator.content_encoder.width": 32,
            "model.generator.content_encoder.max_width": 256,
            "model.generator.motion_encoder.width": 32,
            "model.generator.motion_encoder.max_width": 256,
            "model.generator.decoder.width": 32,
            "model.generator.decoder.max_width": 256,
            "model.discriminators.frame.network.width": 32,
            "model.discriminators.frame.network.max_width": 256,
            "train_dataloader.batch_size": 8,
            "val_dataloader.batch_size": 4,
            "optim_wrapper.optimizer.lr": 3e-4,
            "param_scheduler": dict(
                decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.1, begin=1000, end=1500, by_epoch=False)
            ),
            "train_cfg.max_iters": 1500,
            "train_cfg.val_interval": 500,
            "default_hooks.checkpoint.interval": 250,
            "custom_hooks.strips.interval": 250,
        },
    ),
}
