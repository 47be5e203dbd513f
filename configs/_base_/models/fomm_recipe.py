"""The first-order motion model for an hour or two on one CPU core, over the warped image, without VGG19.

From the paper as fomm.py has it: points with local affine maps, masks and visibility, first-order motion, equivariance,
relative transfer, training by two frames of a clip. Not the paper's:

- the decoder has skips at every size and reads the heatmaps of the points, as Monkey-Net's does, and its head blends
  over the warped image (``ResidualHead``), where the paper draws each pixel anew;
- L1 on frames and on the warped image in place of the perceptual loss, in which pixels that move weigh up to five times
  as much. Equivariance weighs 1;
- jumps start at a clip's first frame, as the tests do;
- a moving average of the generator's weights is validated and saved;
- narrow networks with 3x3 kernels, eight pairs a batch, bf16, Adam with 1e-3, falling from the middle on.

Ours in the parts that this file names (their docstrings say more):

- KeypointEncoder: pictures are in [-1, 1] (the released codes: in [0, 1])
- DenseFlow: beyond the image its border goes on (the released codes: zeros)
- WarpedPyramidDecoder: an offset and not a place is resized for each level, so that a flow of 0 leaves every level as
  it is
- WarpedPyramidDecoder: beyond the image its border goes on (the released codes: zeros)
- EquivarianceLoss: the spline has a weight for each axis, and its numbers are ours
"""

from mmengine.config import read_base

with read_base():
    from .monkey_net_recipe import *

from i2vkit.models.losses import EquivarianceLoss

model["generator"]["motion_encoder"]["local"] = "affine"
model["generator"]["motion_generator"].update(groups=0, correction=False, visible=True)
model["phases"]["generator"]["losses"]["equivariance"] = dict(type=EquivarianceLoss, pass_name="forecast", weight=1.0)
