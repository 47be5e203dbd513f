"""ImaGINator's label fusion with DTGAN's U-Net, on the faces of i2v-truth-v1.

Parents: truth/imaginator_faces, truth/mocogan_faces, truth/dtgan_faces. Noise and label become a motion a frame through
MoCoGAN's recurrent network, and the U-Net, whose skips are those of an image translator, draws each frame: is fusion in
space enough, without convolutions in time? Losses and discriminators are ImaGINator's.

Memory of a training step: 1.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..truth.imaginator_faces import *

from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.motion_generators import NoiseGru

model["generator"]["content_encoder"] = None  # the U-Net reads the image itself
model["generator"]["motion_generator"] = dict(type=NoiseGru, noise=512, hidden=512)
model["generator"]["decoder"] = dict(
    type=UNetDecoder, widths=(64, 128, 256, 512, 512, 512), dropout=0.0, num_dropouts=0
)
