"""SVG-LP (Denton and Fergus, 2018, "Stochastic Video Generation with a Learned Prior"), given one image, at 64x64.

From the authors' code: the VGG-like frame encoder and decoder with batch norm, codes of 128, the posterior, prior and
frame predictor (LSTMs of 256), a random code of 64 at every step, teacher forcing, squared errors, Adam with 0.002. The
decoder gets the maps of the given image at every step. ``_fixed`` makes SVG-FP of it, whose prior is N(0, I), and
``_dcgan`` has the code's DCGAN-like encoder and decoder.

Ours: one given image, in training too, where the paper has two or more (Dual-MTGAN does not say how it got round that;
the released code cannot run with one). Videos are in [-1, 1], so that squared errors are 4 times theirs and the
divergence weighs 4e-4 for their 1e-4. A batch norm sees all steps of a batch at once, the code's one step at a time.
Tests use the statistics of training, where the code of SVG-LP takes those of the test batch.
"""

from torch.optim import Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Generator, ImageToVideoGan
from i2vkit.models.decoders import StageDecoder
from i2vkit.models.encoders import ConvPyramidEncoder, RecurrentPosterior, StageEncoder
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import FrameL2Loss, KlLoss
from i2vkit.models.motion_generators import LstmPredictor

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=dict(
            type=StageEncoder,
            widths=(64, 128, 256, 512),
            convs=(2, 2, 3, 3),
            norm="batch",
            activation="leaky",
            pool="max",
            skip="before",
            code=128,
            initial_weights=0.02,
        ),
        motion_encoder=dict(type=RecurrentPosterior, code=64, hidden=256, prior="learned"),
        motion_generator=dict(type=LstmPredictor, hidden=256, layers=2),
        decoder=dict(type=StageDecoder, widths=(512, 256, 128, 64), convs=(3, 3, 2, 2), skips="join", coarsest=False),
        head=dict(type=DirectHead),
        skips_from="image",
    ),
    passes=dict(reconstruct=dict(content="driving", motion="driving", target="driving", feed="truth")),
    phases=dict(
        generator=dict(
            updates=["generator"],
            losses=dict(frame_l2=dict(type=FrameL2Loss), kl=dict(type=KlLoss, weight=4e-4)),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=2e-3, betas=(0.9, 0.999), fused=True),
)

# Options for variants: SVG-FP, the code's "dcgan" encoder and decoder, and a model for CPUs.
_fixed = {"model.generator.motion_encoder.prior": "fixed"}
_dcgan = {
    "model.generator.content_encoder": dict(type=ConvPyramidEncoder, code=128, bias=True, code_norm=True),
    "model.generator.decoder.convs": (1, 1, 1, 1),
    "model.generator.decoder.up": "transposed",
}
_narrow = {
    "model.generator.content_encoder.widths": (8, 16, 32, 64),
    "model.generator.content_encoder.convs": (1, 1, 1, 1),
    "model.generator.content_encoder.code": 64,
    "model.generator.motion_encoder.code": 16,
    "model.generator.motion_encoder.hidden": 128,
    "model.generator.motion_generator.hidden": 128,
    "model.generator.decoder.widths": (64, 32, 16, 8),
    "model.generator.decoder.convs": (1, 1, 1, 1),
}
