"""MCNet on MUG, 96x96, given one image: a baseline of FRGAN.

Papers: Villegas et al., 2017; as a baseline Zhao et al., 2018. 16 frames train and 32 test, on FRGAN's people and with
its test (protocol references). Batch of 8 and 100,000 iterations are those of the authors' code on KTH; what else is
open stands in _base_/models/mcnet.py. Expected result: ACD-I 0.545, ACD-C 0.322 (FRGAN, table 1, with OpenFace; ours is
dlib's network, with other numbers). It has not been trained yet.

Memory of a training step: 5.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug_frgan_people import *
    from ._base_.models.mcnet import *
    from ._base_.runtime import *

from i2vkit.datasets.transforms import RandomWindow

train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomWindow, length=16)
train_cfg.update(max_iters=100_000, val_interval=5000)

variants = {
    "labelled": dict(
        help="It is told the expression: the label is beside every difference image. FRGAN does not say that it was.",
        memory="5.3 GiB in fp32",
        options={"model.labels": _expressions, "model.generator.motion_encoder.labelled": True},
    ),
    "64": dict(
        help="64x64 pixels, from the same clips.",
        memory="2.5 GiB in fp32",
        options={f"{loader}.dataset.size": 64 for loader in ("train_dataloader", "val_dataloader", "test_dataloader")},
    ),
}
