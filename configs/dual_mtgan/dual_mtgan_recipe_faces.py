"""Dual-MTGAN on the faces of i2v-truth-v1, 64x64, 16 frames, made to be looked at: an hour on a CPU core.

Paper: Yang et al., "Dual-MTGAN"; its own model on these data is dual_mtgan_faces. What is not the paper's
stands in _base_/models/dual_mtgan_recipe.py. The set's own 24 people train; its variant 80people has 80.

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.dual_mtgan_recipe import *
    from .._base_.recipe import *

from i2vkit.models.heads import WarpHead

train_dataloader["batch_size"] = 12

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables "
        "tell it apart from what 24 people give.",
        memory="0.2 GiB in bf16",
        options=_more_people,
    ),
    "warp": dict(
        help="A mix that no paper has, as 80people: the motion of Dual-MTGAN, the content warped and painted over "
        "(WarpHead), its flow averaged over 5x5 pixels, as transposed convolutions make a checkerboard of it.",
        memory="0.2 GiB in bf16",
        extends="80people",
        options={"model.generator.head": dict(type=WarpHead, max_displacement=6.0, mask_bias=-1.0, smooth=5)},
    ),
}
