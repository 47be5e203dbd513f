"""The first-order motion model with a discriminator, as the released code has it on BAIR and UvA-NEMO.

From the released code (settings of BAIR and Nemo, beside those in fomm.py): a discriminator of frames with spectral
norm that reads no points, least squares, the features of its four blocks compared with weight 10, the adversarial loss
with weight 1, batches of 36, a learning rate that falls to a tenth at 0.6 and at 0.9 of the training.

Everything else stands in fomm.py.

Ours in the parts that this file names (their docstrings say more):

- KeypointEncoder: pictures are in [-1, 1] (the released codes: in [0, 1])
- DenseFlow: beyond the image its border goes on (the released codes: zeros)
- WarpedPyramidDecoder: an offset and not a place is resized for each level, so that a flow of 0 leaves every level as
  it is
- WarpedPyramidDecoder: beyond the image its border goes on (the released codes: zeros)
- PerceptualPyramidLoss: frames are averaged to the smaller sizes (the released code: smoothed and subsampled)
- EquivarianceLoss: the spline has a weight for each axis, and its numbers are ours
"""

from mmengine.config import read_base

with read_base():
    from .fomm import *

model["discriminators"] = dict(
    frame=dict(
        type=Discriminator,
        network=dict(type=PooledFrameDiscriminator, widths=(64, 128, 256, 512), spectral=True, pool_last=False),
        view=dict(type=AllFrames),
        adversarial=dict(type=LeastSquaresLoss),
    ),
)
model["phases"]["generator"]["losses"].update(
    frame_features=dict(
        type=FeatureMatchingLoss,
        discriminator="frame",
        passes="forecast",
        channel_weights=(10.0, 10.0, 10.0, 10.0),
    ),
    frame_adversarial=dict(type=AdversarialLoss, discriminator="frame", passes="forecast"),
)
model["phases"]["discriminators"] = dict(
    updates=["discriminators.frame"],
    losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame", passes="forecast")),
)
