"""DTGAN on the faces of i2v-truth-v1, 64x64, 16 frames.

Paper: Baddar et al., 2017, "Dynamics Transfer GAN". First: tools/train.py cnn_lstm_faces. Iterations
are ours; what else the paper leaves open stands in _base_/models/dtgan.py. Expected result: none published for these
data; docs/results.md has ours.

Memory of a training step: 1.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.dtgan import *
    from ._base_.runtime import *

from i2vkit.models.decoders import DenseDecoder, TransposedConv1p2dDecoder
from i2vkit.models.encoders import ConvPyramidEncoder, ResidualPyramidEncoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss

model["pretrained"]["motion_encoder"]["checkpoint"] = "work_dirs/cnn_lstm_faces"
model["pretrained"]["motion_encoder"]["help"] = "python tools/train.py cnn_lstm_faces"
train_dataloader["dataset"]["pair_sampler"] = None  # it learns by reconstruction alone
train_cfg.update(max_iters=20_000, val_interval=1000)
param_scheduler["decay"].update(begin=10_000, end=20_000)

variants = {
    "figures": dict(
        name="dtgan_figures",
        help="The figures of i2v-truth-v1. First: tools/train.py cnn_lstm_figures.",
        memory="1.3 GiB in fp32",
        data="_base_/datasets/truth_figures.py",
        options={
            "model.pretrained.motion_encoder.checkpoint": "work_dirs/cnn_lstm_figures",
            "model.pretrained.motion_encoder.help": "python tools/train.py cnn_lstm_figures",
            "train_dataloader.dataset.pair_sampler": None,
        },
    ),
    "residual": dict(
        help="A mix: FRGAN's residual head, U-Net and dynamics as they are. Does a face stay the same person when the "
        "U-Net paints only what changes over the input image (eq. 2 of FRGAN, with its mask loss), in place of "
        "every pixel anew?",
        memory="1.3 GiB in fp32",
        options={
            "model.generator.head": dict(type=ResidualHead),
            "model.phases.generator.losses.mask": dict(type=MaskSparsityLoss, weight=0.05),
        },
    ),
    "dense": dict(
        help="A mix: the dynamics for FRGAN's image encoder, dense decoder and residual head. FRGAN needs condition "
        "maps, hence a face model and landmarks: how much is lost if a vector a frame, learnt from expressions "
        "alone, takes their place? Losses and discriminators are DTGAN's, with FRGAN's mask loss.",
        memory="6.8 GiB in fp32",
        extends="residual",
        options={
            "model.generator.content_encoder": dict(type=ResidualPyramidEncoder, width=64, max_width=512, code=128),
            "model.generator.decoder": dict(type=DenseDecoder, width=64, max_width=512, dense=True),
        },
    ),
    "1p2d": dict(
        help="A mix: the appearance-suppressed dynamics with ImaGINator's transposed (1+2)D decoder. Does a decoder "
        "that makes the whole clip at once, image and motion joined at every level, draw transferred motion "
        "better than a U-Net frame by frame? It reads the mean of the dynamics over the clip (an adapter), so all"
        " that it knows of the order in time must be in there. Losses and discriminators are DTGAN's.",
        memory="1.6 GiB in fp32",
        options={
            "model.generator.content_encoder": dict(
                type=ConvPyramidEncoder, widths=(64, 128, 256, 512), code=100, bias=True
            ),
            "model.generator.decoder": dict(
                type=TransposedConv1p2dDecoder,
                widths=(512, 256, 128, 64),
                temporal_widths=(4096, 3072, 1536, 768, 36),
                time=((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
            ),
        },
    ),
}
