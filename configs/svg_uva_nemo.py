"""SVG-LP on UvA-NEMO, 64x64, given one image, sequences of 16 frames: beside Dual-MTGAN on the same data.

Papers: Denton and Fergus, 2018; as a baseline Yang et al., "Dual-MTGAN", which shows no SVG on faces. Codes of 24 and a
divergence of 4e-6 are those of the authors' code for people (KTH), with our scale of squared errors. Batch of 100 is
theirs, iterations are ours; what else is open stands in _base_/models/svg.py. Expected result: none published. It has
not been trained yet.

Memory of a training step: 29.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.uva_nemo_sequences import *
    from ._base_.evaluation_lpips import *
    from ._base_.models.svg import *
    from ._base_.runtime import *

model["generator"]["motion_encoder"]["code"] = 24
model["phases"]["generator"]["losses"]["kl"]["weight"] = 4e-6
train_dataloader["batch_size"] = 100
train_dataloader["dataset"]["pair_sampler"] = None  # it reads no second clip
train_cfg.update(max_iters=55_000, val_interval=1000)

variants = {
    "fp": dict(
        help="SVG-FP: the prior is N(0, I).",
        memory="29.4 GiB in fp32",
        options=_fixed,
    ),
    "oulu": dict(
        name="svg_oulu",
        help="Oulu-CASIA, clips resampled to 16 frames, as dual_mtgan_oulu.",
        memory="29.4 GiB in fp32",
        data="_base_/datasets/oulu_casia.py",
        options={"train_dataloader.batch_size": 100, "train_cfg.max_iters": 20_000},
    ),
    "weizmann_ten_actions": dict(
        name="svg_weizmann_ten_actions",
        help="Weizmann, ten actions, as dual_mtgan_weizmann_ten_actions.",
        memory="29.4 GiB in fp32",
        data="_base_/datasets/weizmann_in_time.py",
        options={"train_dataloader.batch_size": 100},
    ),
}
