"""FRGAN on Penn Action, 64x64, stage one: eight actions, heatmaps of 13 joints, feature similarity besides.

Paper: Zhao et al., 2018. Data: a third of each action's clips trains (the split is ours), crops follow the person.
Iterations are ours. The pose network of eq. 15 (an hourglass) is left out until a user gives one:
model.phases.generator.losses.features.pose. its variant no_features needs no VGG16. Then:
frgan_refine_penn.py. Expected result, tested on its own with true poses: MSE 0.014 (table 4).

Memory of a training step: 5.6 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.penn_action_maps import *
    from ._base_.evaluation_poses import *
    from ._base_.models.frgan_forecast import *
    from ._base_.runtime import *

from i2vkit.models.losses import FeatureSimilarityLoss

model["phases"]["generator"]["losses"]["features"] = dict(type=FeatureSimilarityLoss, pass_name="forecast")  # eq. 15
train_cfg.update(max_iters=100_000, val_interval=5000)

variants = {
    "no_dense": dict(
        help="Without dense connections (table 4, first row: MSE 0.027).",
        memory="5.1 GiB in fp32",
        options=_ablations["no_dense"],
    ),
    "no_features": dict(
        help="Without the feature similarity (eq. 15), which needs weights to be fetched.",
        memory="4.2 GiB in fp32",
        options={"model.phases.generator.losses.features": None},
    ),
    "villegas": dict(
        help="Villegas et al. as FRGAN trains it: no residual learning, no dense connections, no refiner. Expected "
        "result: MSE 0.025 with true poses, 0.030 with forecast ones (table 3).",
        memory="5.1 GiB in fp32",
        options=_ablations["villegas"],
    ),
}
