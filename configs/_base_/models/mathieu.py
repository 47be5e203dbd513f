"""Mathieu et al. (2016, "Deep multi-scale video prediction beyond mean square error"), given one image, at 64x64.

From the paper, by the two public codes (the authors' and dyelax's): four scales of convolutions on the last four
frames, each refining the coarser picture, tanh at each; a discriminator at each scale that sees the four frames before
and a patch of 32x32 pixels of the next; squared errors, the gradient difference loss with exponent 1, the adversarial
loss with weight 0.05, each summed over the scales; SGD with 0.02 for the discriminators. Training predicts each frame
from the true frames before it, all at once.

Ours: the generator trains on whole frames, where both codes have random crops; the losses are means over the scales
with 4 times the weight; Adam with 4e-5 for the generator, as dyelax has it (paper: SGD); cross-entropy with a
non-saturating generator; no wrong histories as further negatives, which the authors' code has (``_wrong_past``).

Ours in the parts that this file names (their docstrings say more):

- MultiScaleDecoder: the history is filled with the given image at the start of a video
- GradientDifferenceLoss: differences at the border of the picture are left out
"""

from torch.optim import SGD, Adam

from i2vkit.engine.optimizers import PhaseOptimWrapperConstructor
from i2vkit.models import Discriminator, Generator, ImageToVideoGan
from i2vkit.models.decoders import MultiScaleDecoder
from i2vkit.models.discriminators import AtScale, ConvPerceptron, Patch, RandomFrames
from i2vkit.models.heads import DirectHead
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FrameL2Loss,
    GradientDifferenceLoss,
    NonSaturatingLoss,
)

_networks = {
    8: dict(type=ConvPerceptron, widths=(64,), kernels=(3,), hidden=(512, 256)),
    4: dict(type=ConvPerceptron, widths=(64, 128, 128), kernels=(3, 3, 3), hidden=(1024, 512)),
    2: dict(type=ConvPerceptron, widths=(128, 256, 256), kernels=(5, 5, 5), hidden=(1024, 512)),
    1: dict(type=ConvPerceptron, widths=(128, 256, 512, 128), kernels=(7, 7, 5, 5), hidden=(1024, 512), pooled=True),
}

model = dict(
    type=ImageToVideoGan,
    labels=[],  # it reads none
    generator=dict(
        type=Generator,
        content_encoder=None,
        motion_encoder=None,
        motion_generator=None,
        decoder=dict(
            type=MultiScaleDecoder,
            history=4,
            scales=(8, 4, 2, 1),
            kernels=((3, 3, 3, 3), (5, 3, 3, 5), (5, 3, 3, 3, 3, 5), (7, 5, 5, 5, 5, 7)),
            widths=((128, 256, 128), (128, 256, 128), (128, 256, 512, 256, 128), (128, 256, 512, 256, 128)),
        ),
        head=dict(type=DirectHead),
    ),
    discriminators={
        f"scale{_scale}": dict(
            type=Discriminator,
            network=_networks[_scale],
            view=dict(
                type=AtScale, scale=_scale, view=dict(type=Patch, size=32 // _scale, view=dict(type=RandomFrames))
            ),
            condition="past",
            history=4,
            adversarial=dict(type=NonSaturatingLoss),
        )
        for _scale in (8, 4, 2, 1)
    },
    passes=dict(reconstruct=dict(content="driving", motion="prior", target="driving", feed="truth")),
    phases=dict(
        discriminators=dict(
            updates=[f"discriminators.scale{_scale}" for _scale in (8, 4, 2, 1)],
            losses={
                f"scale{_scale}_discriminator": dict(type=DiscriminatorLoss, discriminator=f"scale{_scale}")
                for _scale in (8, 4, 2, 1)
            },
        ),
        generator=dict(
            updates=["generator"],
            losses=dict(
                frame_l2=dict(type=FrameL2Loss, every_scale=True, weight=4.0),
                gradient_difference=dict(type=GradientDifferenceLoss, power=1.0, every_scale=True, weight=4.0),
                **{
                    f"scale{_scale}_adversarial": dict(
                        type=AdversarialLoss, discriminator=f"scale{_scale}", weight=0.05
                    )
                    for _scale in (8, 4, 2, 1)
                },
            ),
        ),
    ),
)

optim_wrapper = dict(
    constructor=PhaseOptimWrapperConstructor,
    optimizer=dict(type=Adam, lr=4e-5, betas=(0.9, 0.999)),
    per_phase=dict(discriminators=dict(optimizer=dict(type=SGD, lr=0.02))),
)

# Options for variants. Real frames behind the history of another clip: half of the negatives, as in the authors' code.
_wrong_past = {
    f"model.phases.discriminators.losses.scale{_scale}_discriminator.wrong_past": 0.5 for _scale in (8, 4, 2, 1)
}
# The widths of the generator in the authors' training script.
_script = {
    "model.generator.decoder.widths": ((16, 32, 16), (16, 32, 16), (16, 32, 64, 32, 16), (16, 32, 64, 32, 16)),
}
