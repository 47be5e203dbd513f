"""ImaGINator on the faces of i2v-truth-v1, 64x64, for 16 frames: it knows a clip's label, not its motion.

Paper: Wang et al., 2020. The first block in time makes one frame, not two; D_V ends on one step. The L1 weight is 100,
that of the authors' code. Batch size and iterations are ours; what else is open stands in _base_/models/imaginator.py.
Expected result: none published for these data; docs/results.md has ours.

Memory of a training step: 1.4 GiB in fp32.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.truth_faces import *
    from ._base_.models.imaginator import *
    from ._base_.runtime import *

from i2vkit.evaluation.metrics import ContentDistance, VideoFid
from i2vkit.models.decoders import UNetDecoder
from i2vkit.models.heads import ResidualHead
from i2vkit.models.losses import MaskSparsityLoss
from i2vkit.models.motion_generators import NoiseGru

model["generator"]["decoder"]["time"] = ((1, 1), (4, 2), (4, 2), (4, 2), (4, 2))
model["discriminators"]["video"]["network"]["last_length"] = 1
model["phases"]["generator"]["losses"]["frame_l1"]["weight"] = 100.0
train_dataloader["dataset"]["pair_sampler"] = None
test_evaluator.update(video_fid=dict(type=VideoFid), content_distance=dict(type=ContentDistance))
train_cfg.update(max_iters=20_000, val_interval=1000)

variants = {
    "figures": dict(
        name="imaginator_figures",
        help="The figures of i2v-truth-v1.",
        memory="1.4 GiB in fp32",
        data="_base_/datasets/truth_figures.py",
        options={"train_dataloader.dataset.pair_sampler": None},
    ),
    "residual": dict(
        help="A mix: FRGAN's residual head. ImaGINator's transposed convolutions leave a grid on every frame: is it "
        "gone where the picture shows through, and does a clip still move by its label?",
        memory="1.5 GiB in fp32",
        options={
            "model.generator.head": dict(type=ResidualHead),
            "model.phases.generator.losses.mask": dict(type=MaskSparsityLoss, weight=0.05),
        },
    ),
    "unet": dict(
        help="A mix: the label fusion with DTGAN's U-Net. Noise and label become a motion a frame through MoCoGAN's "
        "recurrent network, and the U-Net, whose skips are those of an image translator, draws each frame: is "
        "fusion in space enough, without convolutions in time? Losses and discriminators are ImaGINator's.",
        memory="1.1 GiB in fp32",
        options={
            "model.generator.content_encoder": None,  # the U-Net reads the image itself
            "model.generator.motion_generator": dict(type=NoiseGru, noise=512, hidden=512),
            "model.generator.decoder": dict(
                type=UNetDecoder, widths=(64, 128, 256, 512, 512, 512), dropout=0.0, num_dropouts=0
            ),
        },
    ),
}
