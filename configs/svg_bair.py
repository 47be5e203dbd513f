"""SVG-LP on BAIR robot pushing, 64x64, given one image: a baseline of Dual-MTGAN.

Papers: Denton and Fergus, 2018; as a baseline Yang et al., "Dual-MTGAN". The first 12 frames of the owners' clips
train, in batches of 100 for 180,000 iterations, as in SVG's code; tests make 30 frames of their 256 test clips. What
else is open stands in _base_/models/svg.py. Expected result: best SSIM of 25 samples 0.815, diversity 0.0398
(Dual-MTGAN, table II). It has not been trained yet.

Memory of a training step: 21.9 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.bair import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.svg import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import FirstFrames, RandomWindow
from i2vkit.evaluation.protocols import Continuation

train_dataloader["batch_size"] = 100
train_dataloader["dataset"]["window"] = dict(type=FirstFrames, length=12, stride=1)
val_dataloader["dataset"]["truth"] = None  # it is told no motion
train_cfg.update(max_iters=180_000, val_interval=5000)

variants = {
    "fp": dict(
        help="SVG-FP: the prior is N(0, I). Expected result: none published for one image.",
        memory="21.9 GiB in fp32",
        options=_fixed,
    ),
    "dcgan": dict(
        help="The DCGAN-like encoder and decoder of the released code in place of the VGG-like ones: a seventh of the "
        "products. Expected result: none published on BAIR.",
        memory="3.7 GiB in fp32",
        options=_dcgan,
    ),
    "two_observed": dict(
        help="The published setting: two frames are given, 10 more train and 28 more are made, 100 samples. The "
        "decoder gets the maps of the second one. Expected result: PSNR 18.95, SSIM 0.806 (the released weights, "
        "scored by the authors of SRVP; SVG's own SSIM is taken with a range of 2 and does not compare).",
        memory="21.9 GiB in fp32",
        options={
            "model.passes.reconstruct.observed": 2,
            "protocols.continuation": dict(type=Continuation, observed=2, length=30, num_samples=100),
        },
    ),
    "narrow": dict(
        help="A narrow SVG-LP for a CPU core: an eighth of the widths, one convolution a stage, codes of 16, windows "
        "from all of a clip, batches of 8.",
        memory="0.1 GiB in fp32",
        options=_narrow
        | {
            "train_dataloader.batch_size": 8,
            "train_dataloader.dataset.window": dict(type=RandomWindow, length=12, stride=1),
            "train_cfg.max_iters": 4000,
            "train_cfg.val_interval": 1000,
            "default_hooks.checkpoint.interval": 250,
        },
    ),
}
