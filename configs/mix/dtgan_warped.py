"""DTGAN's dynamics warp the image, on the faces of i2v-truth-v1.

Parents: dtgan/dtgan_recipe_faces and monkey_net/monkey_net_recipe_faces. Is a motion vector a frame, learned from
expressions alone, enough to say where every pixel of a frame comes from?

Motion encoder, losses, discriminator and the numbers of iterations are those of DTGAN's recipe
(_base_/models/dtgan_recipe.py says what of it is the paper's). In place of the U-Net and its head that warps stand
Monkey-Net's content encoder and decoder, which warp features of every size, and a head that blends over the warped
image. A linear layer turns each vector into a flow of 8x8 cells (``TrajectoryToFlow``). First: tools/train.py
configs/dtgan/cnn_lstm_recipe_faces.py. Expected result of variant 80people, in 6,400 iterations (50 minutes on a core):
SSIM 0.817 (image repeated: 0.720), benchmark's both 0.426, where DTGAN's recipe has 0.433.

Memory of a training step: 0.1 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ..dtgan.dtgan_recipe_faces import *

from i2vkit.models.decoders import WarpedPyramidDecoder
from i2vkit.models.encoders import StageEncoder
from i2vkit.models.heads import ResidualHead

model["generator"].update(
    content_encoder=dict(type=StageEncoder, widths=(16, 32, 64, 128), convs=(1, 1, 1, 1)),
)
model["generator"]["decoder"] = dict(type=WarpedPyramidDecoder, residual_blocks=1)
model["generator"]["head"] = dict(type=ResidualHead, mask_bias=-2.0)

variants = {
    "80people": dict(
        help="56 more people to train on. First: python tools/benchmark_truth.py prepare --extra-people 56, and "
        "tools/train.py dtgan/cnn_lstm_recipe_faces_80people. Tables tell it apart from what 24 people give.",
        memory="0.1 GiB in fp32",
        options=_more_people
        | {
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/cnn_lstm_recipe_faces_80people",
            "model.pretrained.motion_encoder.help": "python tools/train.py dtgan/cnn_lstm_recipe_faces_80people",
        },
    ),
}
