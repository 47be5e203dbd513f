"""Learned points in FRGAN's dense decoder, on the faces of i2v-truth-v1: FRGAN without a face model.

Parents: frgan/frgan_forecast_recipe_faces and monkey_net/monkey_net_recipe_faces. Can points that nobody has labelled
take the place of normal maps, which need landmarks and a fitted face model?

Content encoder, dense decoder, residual head, losses, discriminator and the numbers of iterations are those of FRGAN's
recipe (_base_/models/frgan_forecast_recipe.py says what of it is the paper's). The motion encoder is Monkey-Net's.
Heatmaps of its points go through residual blocks of their own (``PointsToMaps``) and join the decoder as the maps of
FRGAN do, and the points relative to those of the image are the motion vector (``PointsToTrajectory``). The
discriminator sees the heatmaps. All 24 people train. Expected result of variant 80people, in 2,400 iterations (34
minutes on a core): SSIM 0.842 (image repeated: 0.720), benchmark's both 0.591, where normal maps give 0.698.

Points mean nothing at first, and the sparse mask (eq. 6) then closes for good: trained as FRGAN's recipe, the model
gave the image for every frame at iteration 480. So the mask costs nothing before iteration 1,000, and the points
follow deformed pictures from the start (EquivarianceLoss, of the first-order motion model).

Memory of a training step: 0.2 GiB in bf16.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.truth_faces_without_maps import *
    from .._base_.models.frgan_forecast_recipe import *
    from .._base_.recipe import *

from i2vkit.datasets.transforms import RandomJump
from i2vkit.models.encoders import KeypointEncoder
from i2vkit.models.losses import EquivarianceLoss

model["generator"]["motion_encoder"] = dict(
    type=KeypointEncoder, num_points=10, widths=(16, 32, 64, 128), input_size=32
)
model["discriminators"]["frame"]["condition"] = "points"
model["phases"]["generator"]["losses"]["mask"]["weight"] = [(1000, 0.0), (2000, 0.05)]
model["phases"]["generator"]["losses"]["equivariance"] = dict(type=EquivarianceLoss, pass_name="forecast", weight=1.0)
train_dataloader["batch_size"] = 8
train_dataloader["dataset"]["window"] = dict(type=RandomJump, frames=1, from_first=True)
train_cfg.update(max_iters=_end, val_interval=1000)

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56. Tables "
        "tell it apart from what 24 people give.",
        memory="0.2 GiB in bf16",
        options=_more_people,
    ),
}
