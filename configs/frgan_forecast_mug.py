"""FRGAN on MUG, 96x96, stage one: the forecasting network alone, which is a row of table 4 of its own.

Paper: Zhao et al., 2018. Data: the first of the authors' three groups, 19 people, trains. Iterations are ours (the
authors' code runs 20 epochs, 17,360 of them). What else the paper leaves open stands in
_base_/models/frgan_forecast.py. Then: frgan_refine_mug.py. Expected result, tested on its own: ACD-I 0.252, ACD-C 0.140
(table 4).

Memory of a training step: 7.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.mug_maps import *
    from ._base_.evaluation_faces import *
    from ._base_.models.frgan_forecast import *
    from ._base_.runtime import *

train_cfg.update(max_iters=100_000, val_interval=5000)

variants = {
    "no_dense": dict(
        help="Without dense connections (table 4, first row: ACD-I 0.459, ACD-C 0.155).",
        memory="6.6 GiB in fp32",
        options=_ablations["no_dense"],
    ),
    "difference": dict(
        help="The plain difference of eq. 1 in place of mask and content.",
        memory="7.6 GiB in fp32",
        options={"model.generator.head.mask": False, "model.phases.generator.losses.mask": None},  # it has no mask
    ),
    "villegas": dict(
        help="Villegas et al. as FRGAN trains it: no residual learning, no dense connections, no refiner. Expected "
        "result: ACD-I 0.683, ACD-C 0.130 (table 1).",
        memory="6.6 GiB in fp32",
        options=_ablations["villegas"],
    ),
}
