"""Dual-MTGAN on BAIR robot pushing, 64x64, 30 frames.

Paper: Yang et al., "Dual-MTGAN". Data: the owners' clips to train on (the paper counts 40960) and their 256 to test on.
There are no people, so that V_y is any other clip, its table and things another arrangement. Batch of 16 and iterations
are ours; what else is open stands in _base_/models/dual_mtgan.py. Expected result: best SSIM of 25 samples 0.827,
diversity 0.0422 (table II; SVG 0.815 and 0.0398); fig. 6 has the curves. It has not been trained yet.

Memory of a training step: 3.9 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.bair import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

from i2vkit.datasets import SamePerson
from i2vkit.evaluation.metrics import Fvd

train_dataloader["dataset"]["pair_sampler"] = dict(type=SamePerson)
train_cfg.update(max_iters=100_000, val_interval=5000)

variants = {
    "fifteen": dict(
        help="The protocol of later work: one frame, and the 15 that follow, of the 256 test clips with 100 samples "
        "each (docs/evaluation.md). Windows of 16 of the 30 frames train. FVD is measured over all 25,600 videos. "
        "Expected result: none published for this model.",
        memory="2.3 GiB in fp32",
        options={
            "train_dataloader.dataset.window.length": 16,
            "val_dataloader.dataset.window.length": 16,
            "test_dataloader.dataset.window.length": 16,
            "protocols.stochastic.num_samples": 100,
            "test_evaluator.fvd": dict(type=Fvd),
        },
    ),
    "no_content_loss": dict(
        help="Without the loss on the content's change (L_C; fig. 6), which is still logged.",
        memory="3.9 GiB in fp32",
        options=_ablations["no_content_loss"],
    ),
    "no_cycle": dict(
        help="Without the motion cycle (L_M; fig. 6).",
        memory="3.6 GiB in fp32",
        options=_ablations["no_cycle"],
    ),
    "no_image_discriminator": dict(
        help="Without the image discriminator (D_I; fig. 6).",
        memory="3.8 GiB in fp32",
        options=_ablations["no_image_discriminator"],
    ),
    "no_video_discriminator": dict(
        help="Without the video discriminator (D_V; fig. 6).",
        memory="3.6 GiB in fp32",
        options=_ablations["no_video_discriminator"],
    ),
}
