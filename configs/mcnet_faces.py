"""MCNet on the faces of i2v-truth-v1, 64x64, 16 frames: it knows neither label nor motion.

Paper: Villegas et al., 2017. Iterations are ours; what else is open stands in _base_/models/mcnet.py. Expected result:
none published for these data, and it has not been trained yet.

Memory of a training step: 2.5 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces_without_maps import *
    from ._base_.models.mcnet import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance

test_evaluator["content_distance"] = dict(type=ContentDistance)
train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "figures": dict(
        name="mcnet_figures",
        help="The figures of i2v-truth-v1.",
        memory="2.5 GiB in fp32",
        data="_base_/datasets/truth_figures_without_maps.py",
    ),
}
