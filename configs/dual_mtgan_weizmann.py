"""Dual-MTGAN on the Weizmann strips (four actions; MoCoGAN's preparation), 64x64.

Paper: Yang et al., "Dual-MTGAN". Data: as in the paper the first two thirds of each clip's frames train and the last
third tests, but four of its ten actions, in other crops. Windows of 16 frames, batch of 16 and iterations are ours;
what else is open stands in _base_/models/dual_mtgan.py. Its ten actions are the variant ten_actions. Expected result:
the paper draws curves of the best of 25 samples (fig. 6) and gives no numbers on Weizmann. At these widths nothing has
been trained yet; docs/results.md has runs of the variants short and joint, and of narrow ones.

Memory of a training step: 2.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.weizmann_strips_in_time import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

from mmengine.optim import LinearLR

from i2vkit.datasets import OtherPerson, SamePerson

train_cfg.update(max_iters=10_000, val_interval=500)

_narrow = (16, 32, 64, 128)
_generator_losses = "model.phases.generator.losses"
variants = {
    "no_content_loss": dict(
        help="Without the loss on the content's change (L_C; fig. 6), which is still logged.",
        memory="2.3 GiB in fp32",
        options=_ablations["no_content_loss"],
    ),
    "no_cycle": dict(
        help="Without the motion cycle (L_M; fig. 6).",
        memory="2.2 GiB in fp32",
        options=_ablations["no_cycle"],
    ),
    "no_image_discriminator": dict(
        help="Without the image discriminator (D_I; fig. 6).",
        memory="2.2 GiB in fp32",
        options=_ablations["no_image_discriminator"],
    ),
    "no_video_discriminator": dict(
        help="Without the video discriminator (D_V; fig. 6).",
        memory="2.0 GiB in fp32",
        options=_ablations["no_video_discriminator"],
    ),
    "ten_actions": dict(
        help="The paper's data: Weizmann's own videos, ten actions of nine people, split in time. Iterations are ours. "
        "Expected result: the curves of fig. 6.",
        memory="2.3 GiB in fp32",
        data="_base_/datasets/weizmann_in_time.py",
        options={"train_cfg.max_iters": 20_000, "train_cfg.val_interval": 1000},
    ),
    "ten_actions_no_content_loss": dict(
        help="The ten actions without the loss on the content's change (L_C; fig. 6), which is still logged.",
        memory="2.3 GiB in fp32",
        extends="ten_actions",
        options=_ablations["no_content_loss"],
    ),
    "ten_actions_no_cycle": dict(
        help="The ten actions without the motion cycle (L_M; fig. 6).",
        memory="2.3 GiB in fp32",
        extends="ten_actions",
        options=_ablations["no_cycle"],
    ),
    "ten_actions_no_image_discriminator": dict(
        help="The ten actions without the image discriminator (D_I; fig. 6).",
        memory="2.3 GiB in fp32",
        extends="ten_actions",
        options=_ablations["no_image_discriminator"],
    ),
    "ten_actions_no_video_discriminator": dict(
        help="The ten actions without the video discriminator (D_V; fig. 6).",
        memory="2.0 GiB in fp32",
        extends="ten_actions",
        options=_ablations["no_video_discriminator"],
    ),
    "short": dict(
        help="Half an hour on one CPU core, the first of two parts: narrow, motion first. The paper has no such run. "
        "Narrow: a quarter of the widths, half in the decoder, but an LSTM of 512. Frames are reconstructed, "
        "through skips from the content image to the decoder (which the paper's model has not), with pixels "
        "weighted by what moves, eq. 1 relative to the scale of the codes, and a divergence that comes in late "
        "and weighs a tenth of eq. 8's: with its full weight from the start the motion code stays empty. y is of V's "
        "person. The "
        "discriminators, transfer, sampling and the cycle wait for the variant joint. "
        "docs/results.md has what came out.",
        memory="0.5 GiB in fp32",
        options={
            "model.generator.content_encoder.widths": _narrow,
            "model.generator.motion_encoder.widths": _narrow,
            "model.generator.motion_generator.hidden": 512,
            "model.generator.decoder.widths": (256, 128, 64, 32),
            "model.generator.decoder.skips": True,
            "model.discriminators.image.network.widths": _narrow,
            "model.discriminators.video.network.widths": _narrow,
            "model.phases.discriminators.begin": 4000,
            f"{_generator_losses}.frame_l1.motion_weight": 4.0,
            f"{_generator_losses}.content_l1.relative": True,
            f"{_generator_losses}.kl.weight": [(1000, 0.0), (3000, 1e-3)],
            f"{_generator_losses}.motion_l1.weight": [(4000, 0.0), (4001, 10.0)],
            f"{_generator_losses}.motion_l1_transfer.weight": [(4000, 0.0), (4001, 10.0)],
            f"{_generator_losses}.video_adversarial.weight": [(4000, 0.0), (4001, 1.0)],
            f"{_generator_losses}.video_adversarial_transfer.weight": [(4000, 0.0), (4001, 1.0)],
            f"{_generator_losses}.image_adversarial.weight": [(4000, 0.0), (4001, 0.5e-4)],
            f"{_generator_losses}.image_adversarial_transfer.weight": [(4000, 0.0), (4001, 0.5e-4)],
            "train_dataloader.dataset.pair_sampler": dict(type=SamePerson),  # as it was trained
            "train_dataloader.batch_size": 8,
            "optim_wrapper.optimizer.lr": 1e-3,
            "param_scheduler": dict(
                decay=dict(type=LinearLR, start_factor=1.0, end_factor=0.2, begin=3500, end=4000, by_epoch=False)
            ),
            "train_cfg.max_iters": 4000,
            "train_cfg.val_interval": 1000,
            "default_hooks.checkpoint.interval": 500,
        },
    ),
    "joint": dict(
        help="The second of two parts: all of eq. 8, from the weights of short. Transfer, sampling, the cycle and both"
        " discriminators join the reconstruction, at a tenth of its learning rate. The cycle weighs a tenth and the "
        "video discriminator a fiftieth of eq. 8's: with a tenth, after 1500 iterations, people were sharp and torn to "
        "pieces, and SSIM fell below the static baseline. docs/results.md has what came out.",
        memory="0.5 GiB in fp32",
        extends="short",
        options={
            "model.pretrained": dict(
                generator=dict(
                    part="generator",
                    prefix="generator",
                    checkpoint="work_dirs/dual_mtgan_weizmann_short",
                    help="python tools/train.py dual_mtgan_weizmann_short --precision bf16",
                )
            ),
            "model.phases.discriminators.begin": 0,
            f"{_generator_losses}.kl.weight": 1e-3,
            f"{_generator_losses}.motion_l1.weight": [(0, 0.0), (150, 1.0)],
            f"{_generator_losses}.motion_l1_transfer.weight": [(0, 0.0), (150, 1.0)],
            f"{_generator_losses}.video_adversarial.weight": [(0, 0.0), (150, 0.02)],
            f"{_generator_losses}.video_adversarial_transfer.weight": [(0, 0.0), (150, 0.02)],
            f"{_generator_losses}.image_adversarial.weight": [(0, 0.0), (150, 0.5e-4)],
            f"{_generator_losses}.image_adversarial_transfer.weight": [(0, 0.0), (150, 0.5e-4)],
            "optim_wrapper.optimizer.lr": 1e-4,
            "optim_wrapper.per_phase": dict(discriminators=dict(lr=2e-4)),
            "param_scheduler.decay": None,
            "train_cfg.max_iters": 700,
            "train_cfg.val_interval": 350,
            "default_hooks.checkpoint.interval": 350,
        },
    ),
    "penn_strips": dict(
        name="dual_mtgan_penn_strips",
        help="The real Penn Action strips, 16 frames; the paper has no experiment on them. Nobody is named there: V_y "
        "is any other clip. Batch of 4 and iterations are ours. Expected result: none published; docs/results.md "
        "has ours.",
        memory="0.9 GiB in fp32",
        data="_base_/datasets/penn_strips.py",
        options={"train_dataloader.dataset.pair_sampler": dict(type=OtherPerson)},
    ),
}
