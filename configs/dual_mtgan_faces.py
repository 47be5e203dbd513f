"""Dual-MTGAN on the faces of i2v-truth-v1, 64x64, 16 frames.

Paper: Yang et al., "Dual-MTGAN". Batch size and iterations are ours; what else is open stands in
_base_/models/dual_mtgan.py. Expected result: none published for these data; docs/results.md has ours.

Memory of a training step: 1.3 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.dual_mtgan import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import Lpips
from i2vkit.models.decoders import DenseDecoder, TransposedConv1p2dDecoder
from i2vkit.models.encoders import ResidualPyramidEncoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss

test_evaluator["lpips"] = dict(type=Lpips)
train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "figures": dict(
        name="dual_mtgan_figures",
        help="The figures of i2v-truth-v1.",
        memory="1.3 GiB in fp32",
        data="_base_/datasets/truth_figures.py",
    ),
    "1p2d": dict(
        help="A mix: the variational motion code for ImaGINator's transposed (1+2)D decoder. One code a clip is what "
        "ImaGINator's decoder unrolls by itself: is the LSTM between code and frames needed? Without it motion is"
        " 16 frames long and no other, and content is the first frame's: eq. 1, which draws the codes of all "
        "frames together, has no place. The other losses and discriminators are Dual-MTGAN's.",
        memory="2.1 GiB in fp32",
        options={
            "model.generator.motion_generator": None,
            "model.generator.decoder": dict(
                type=TransposedConv1p2dDecoder,
                widths=(512, 256, 128, 64),
                temporal_widths=(4096, 3072, 1536, 768, 36),
                time=((1, 1), (4, 2), (4, 2), (4, 2), (4, 2)),
            ),
            "model.passes.reconstruct.content_per_frame": False,
            "model.phases.generator.losses.content_l1": None,  # eq. 1
            "model.phases.generator.losses.content_variance_ratio": None,  # what measures it
        },
    ),
    "dense": dict(
        help="A mix: the variational motion with FRGAN's image encoder, dense decoder and residual head. A frame "
        "decoder without skips has to remember a face in one code: does motion that is drawn or transferred look "
        "better where only what changes is painted over the given image? Losses and discriminators are Dual-MTGAN's, "
        "with FRGAN's mask loss.",
        memory="14.1 GiB in fp32",
        options={
            "model.generator.content_encoder": dict(type=ResidualPyramidEncoder, width=64, max_width=512, code=128),
            "model.generator.decoder": dict(type=DenseDecoder, width=64, max_width=512, dense=True),
            "model.generator.head": dict(type=ResidualHead),
            "model.phases.generator.losses.mask": dict(type=MaskSparsityLoss, pass_name="reconstruct", weight=0.05),
        },
    ),
}
