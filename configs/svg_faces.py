"""SVG-LP on the faces of i2v-truth-v1, 64x64, 16 frames, given one image.

Paper: Denton and Fergus, 2018. Codes of 24 and a divergence of 4e-6 are those of the authors' code for people (KTH),
with our scale of squared errors. Batch of 32 and iterations are ours; what else is open stands in _base_/models/svg.py.
Expected result: none published for these data, and it has not been trained yet.

Memory of a training step: 9.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces_without_maps import *
    from ._base_.models.svg import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import Lpips

model["generator"]["motion_encoder"]["code"] = 24
model["phases"]["generator"]["losses"]["kl"]["weight"] = 4e-6
train_dataloader["batch_size"] = 32
test_evaluator["lpips"] = dict(type=Lpips)
train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "figures": dict(
        name="svg_figures",
        help="The figures of i2v-truth-v1.",
        memory="9.6 GiB in fp32",
        data="_base_/datasets/truth_figures_without_maps.py",
        options={"train_dataloader.batch_size": 32},
    ),
}
