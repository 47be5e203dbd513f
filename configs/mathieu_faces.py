"""Mathieu et al. on the faces of i2v-truth-v1, 64x64, 16 frames: it knows neither label nor motion.

Paper: Mathieu et al., 2016. Iterations are ours; what else is open stands in _base_/models/mathieu.py. Expected result:
none published for these data, and it has not been trained yet.

Memory of a training step: 4.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces_without_maps import *
    from ._base_.models.mathieu import *
    from ._base_.runtime import *

train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "figures": dict(
        name="mathieu_figures",
        help="The figures of i2v-truth-v1.",
        memory="4.5 GiB in fp32",
        data="_base_/datasets/truth_figures_without_maps.py",
    ),
}
