"""First-order motion model (Siarohin et al., "First order motion model for image animation", 2019).

From the released code (settings of VoxCeleb): ten points with local affine maps, the widths of all networks, masks and
visibility by 7x7 convolutions, one warp of the maps at a quarter of the size between two halvings and two doublings
with six residual blocks, the perceptual loss and both equivariance losses with weight 10, no discriminator, Adam with
2e-4 and betas (0.5, 0.999), relative places and local maps at test.

The code's frames have 256x256 pixels, and the networks of the motion read a quarter of that. Ours have 64x64, and these
networks read 32x32, which can be halved five times. The perceptual loss has three sizes (the code: four), as VGG19
reads no frames below 16 pixels. Its weights must be there: the error says where to get them. Colours are not changed at
random. The iterations and the batch of 32 are ours.

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
    from .monkey_net import *

from i2vkit.models.losses import EquivarianceLoss, PerceptualPyramidLoss

model["generator"].update(
    content_encoder=dict(type=StageEncoder, stem=64, widths=(128, 256), convs=(1, 1), norm="batch", pool="average"),
    motion_encoder=dict(
        type=KeypointEncoder,
        num_points=10,
        widths=(64, 128, 256, 512, 1024),
        temperature=0.1,
        local="affine",
        kernel=7,
        input_size=32,
    ),
    motion_generator=dict(
        type=DenseFlow,
        widths=(128, 256, 512, 1024, 1024),
        groups=0,
        correction=False,
        visible=True,
        kernel=7,
        input_size=32,
    ),
    decoder=dict(
        type=WarpedPyramidDecoder,
        widths=(64, 128),
        heatmaps=False,
        skips=False,
        residual_blocks=0,
        bottleneck_blocks=6,
        kernel=7,
    ),
)
model["discriminators"] = {}
model["phases"] = dict(
    generator=dict(
        updates=["generator"],
        losses=dict(
            perceptual=dict(type=PerceptualPyramidLoss, pass_name="forecast", shrink=(1, 2, 4), weight=10.0),
            equivariance=dict(type=EquivarianceLoss, pass_name="forecast", weight=10.0),
        ),
    ),
)
