"""Narrow models and made-up batches that the tests share."""

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from i2vkit.models import ImageToVideoGan
from i2vkit.models.decoders import (
    DenseDecoder,
    FrameDecoder,
    MultiScaleDecoder,
    StageDecoder,
    StageMapDecoder,
    TransposedConv1p2dDecoder,
    TransposedConv3dDecoder,
    TwoStreamDecoder,
    TwoStreamMapDecoder,
    UNetDecoder,
    WarpedPyramidDecoder,
)
from i2vkit.models.discriminators import (
    AllFrames,
    AtScale,
    ConvPerceptron,
    FrameDiscriminator,
    FramePairs,
    LastDynamics,
    Patch,
    PooledFrameDiscriminator,
    ProjectedFrameDiscriminator,
    ProjectedPairDiscriminator,
    RandomFrames,
    RandomWindow,
    ResidualFrameDiscriminator,
    ResidualVideoDiscriminator,
    StackedFrameDiscriminator,
    VectorDiscriminator,
    VideoDiscriminator,
    WholeClip,
)
from i2vkit.models.encoders import (
    CnnLstmEncoder,
    Conv3dEncoder,
    ConvFrameEncoder,
    ConvPyramidEncoder,
    DifferenceEncoder,
    GivenLandmarks,
    KeypointEncoder,
    LandmarkEncoder,
    MapDifferenceEncoder,
    RecurrentPosterior,
    ResidualPyramidEncoder,
    StageEncoder,
    TimmFrameEncoder,
    TimmPyramidEncoder,
)
from i2vkit.models.heads import DirectHead, ResidualHead, WarpHead
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FrameL1Loss,
    HingeLoss,
    LeastSquaresLoss,
    MotionCycleLoss,
    NonSaturatingLoss,
    RelativisticLoss,
    WassersteinLoss,
)
from i2vkit.models.motion_generators import DenseFlow, LabelFusion, LstmPredictor, LstmUnroll, NoiseGru
from i2vkit.models.refiners import VolumeRefiner
from i2vkit.registry import MODELS
from i2vkit.structures import VideoSample

SIZE = 32
MAPS = 2  # channels of condition maps
POINTS = 3  # landmarks of a face
LABELS = ["a", "b", "c"]
TIME = ((2, 1), (4, 2), (3, 1), (3, 1))  # decoders of whole clips make 4, 6, 8, ... frames
BACKBONE = dict(backbone="test_byobnet", out_indices=(0, 1, 2))  # one of timm's tiny ones, with strides 2, 4 and 8
PROJECTED = dict(**BACKBONE, pretrained=False, width=4, max_width=8, hidden=8)  # a projected discriminator

# Arguments that make each registered part narrow. A part that is registered and not listed here is built as it is.
NARROW = {
    "ConvFrameEncoder": dict(type=ConvFrameEncoder, widths=(4, 8, 8), features=12),
    "CnnLstmEncoder": dict(
        type=CnnLstmEncoder, frame_encoder=dict(type=ConvFrameEncoder, widths=(4, 8, 8), features=12), hidden=10
    ),
    "Conv3dEncoder": dict(type=Conv3dEncoder, widths=(4, 8, 8), code=6),
    "ConvPyramidEncoder": dict(type=ConvPyramidEncoder, widths=(4, 8, 8), code=6),
    "TimmFrameEncoder": dict(type=TimmFrameEncoder, features=12, **BACKBONE),
    "TimmPyramidEncoder": dict(type=TimmPyramidEncoder, code=6, **BACKBONE),
    "ResidualPyramidEncoder": dict(type=ResidualPyramidEncoder, width=4, max_width=8, code=6),
    "MapDifferenceEncoder": dict(type=MapDifferenceEncoder, width=4, max_width=8, code=6),
    "StageEncoder": dict(type=StageEncoder, widths=(4, 8, 8), convs=(1, 1, 1), code=6),
    "DifferenceEncoder": dict(type=DifferenceEncoder, widths=(4, 8, 8), kernels=(3, 5, 3), code=6),
    "RecurrentPosterior": dict(type=RecurrentPosterior, code=4, hidden=6),
    "LstmPredictor": dict(type=LstmPredictor, hidden=7),
    "KeypointEncoder": dict(type=KeypointEncoder, num_points=3, widths=(4, 8, 8), temperature=1.0),
    "DenseFlow": dict(type=DenseFlow, widths=(4, 8)),
    "GivenLandmarks": dict(type=GivenLandmarks, num_landmarks=POINTS),
    "LandmarkEncoder": dict(
        type=LandmarkEncoder,
        frame_encoder=dict(type=ConvFrameEncoder, widths=(4, 8, 8), features=12),
        num_landmarks=POINTS,
    ),
    "LstmUnroll": dict(type=LstmUnroll, hidden=7),
    "UNetDecoder": dict(type=UNetDecoder, widths=(8, 8, 8, 8, 8), embedder_width=8),
    "LabelFusion": dict(type=LabelFusion, noise=7),
    "NoiseGru": dict(type=NoiseGru, noise=5, hidden=7),
    "TransposedConv1p2dDecoder": dict(
        type=TransposedConv1p2dDecoder, widths=(8, 8, 4), temporal_widths=(12, 10, 8, 6), time=TIME
    ),
    "TransposedConv3dDecoder": dict(
        type=TransposedConv3dDecoder, widths=(8, 8, 4), same_size_as=(12, 10, 8, 6), time=TIME
    ),
    "TwoStreamDecoder": dict(type=TwoStreamDecoder, widths=(8, 8, 4), time=TIME),
    "TwoStreamMapDecoder": dict(type=TwoStreamMapDecoder, widths=(8, 8, 4), time=TIME),
    "FrameDecoder": dict(type=FrameDecoder, widths=(8, 8, 8)),
    "DenseDecoder": dict(type=DenseDecoder, width=4, max_width=8),
    "MultiScaleDecoder": dict(
        type=MultiScaleDecoder,
        history=2,
        scales=(4, 2, 1),
        kernels=((3, 3), (3, 5), (5, 3)),
        widths=((6,), (6,), (8,)),
    ),
    "StageDecoder": dict(type=StageDecoder, widths=(8, 8, 4), convs=(2, 1, 2)),
    "StageMapDecoder": dict(type=StageMapDecoder, widths=(8, 8, 4), convs=(2, 1, 2)),
    "WarpedPyramidDecoder": dict(type=WarpedPyramidDecoder, widths=None, residual_blocks=1),
    "VolumeRefiner": dict(type=VolumeRefiner, widths=(4, 8), window=8),
    "DirectHead": dict(type=DirectHead),
    "ResidualHead": dict(type=ResidualHead),
    "WarpHead": dict(type=WarpHead),
    "FrameDiscriminator": dict(type=FrameDiscriminator, widths=(4, 8, 8)),
    "VideoDiscriminator": dict(type=VideoDiscriminator, widths=(4, 8)),
    "VectorDiscriminator": dict(type=VectorDiscriminator, widths=(8, 8)),
    "ResidualFrameDiscriminator": dict(type=ResidualFrameDiscriminator, width=4, max_width=8),
    "ResidualVideoDiscriminator": dict(type=ResidualVideoDiscriminator, width=4, max_width=8),
    "PooledFrameDiscriminator": dict(type=PooledFrameDiscriminator, widths=(4, 8)),
    "ProjectedFrameDiscriminator": dict(type=ProjectedFrameDiscriminator, **PROJECTED),
    "ProjectedPairDiscriminator": dict(type=ProjectedPairDiscriminator, **PROJECTED),
    "StackedFrameDiscriminator": dict(type=StackedFrameDiscriminator, widths=(4, 8), frames=4),
    "ConvPerceptron": dict(type=ConvPerceptron, widths=(4, 6), kernels=(5, 3), hidden=(6,), pooled=True),
    "AtScale": dict(type=AtScale, scale=2, view=dict(type=AllFrames)),
    "Patch": dict(type=Patch, size=16, view=dict(type=RandomFrames, number=2)),
    "AllFrames": dict(type=AllFrames),
    "RandomFrames": dict(type=RandomFrames, number=2),
    "RandomWindow": dict(type=RandomWindow, length=4),
    "WholeClip": dict(type=WholeClip),
    "FramePairs": dict(type=FramePairs, number=2),
    "LastDynamics": dict(type=LastDynamics),
    "NonSaturatingLoss": dict(type=NonSaturatingLoss),
    "LeastSquaresLoss": dict(type=LeastSquaresLoss),
    "HingeLoss": dict(type=HingeLoss),
    "RelativisticLoss": dict(type=RelativisticLoss),
    "WassersteinLoss": dict(type=WassersteinLoss),
}


def discriminator(
    network: str = "FrameDiscriminator", view: str = "AllFrames", adversarial="NonSaturatingLoss", **own
) -> dict:
    return dict(network=NARROW[network], view=NARROW[view], adversarial=NARROW[adversarial], **own)


def gan_config(**changes) -> dict:
    """DTGAN, narrow; ``generator`` and other keys replace what stands there."""
    generator = dict(
        content_encoder=None,
        motion_encoder=NARROW["CnnLstmEncoder"],
        motion_generator=None,
        decoder=NARROW["UNetDecoder"],
        head=NARROW["DirectHead"],
    ) | changes.pop("generator", {})
    return (
        dict(
            type=ImageToVideoGan,
            image_size=SIZE,
            labels=LABELS,
            map_channels=MAPS,
            generator=generator,
            discriminators=dict(frame=discriminator(), dynamics=discriminator("VectorDiscriminator", "LastDynamics")),
            passes=dict(reconstruct=dict()),
            frozen=["generator.motion_encoder"] if generator["motion_encoder"] is NARROW["CnnLstmEncoder"] else [],
            phases=dict(
                discriminators=dict(
                    updates=["discriminators.frame", "discriminators.dynamics"],
                    losses=dict(
                        frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
                        dynamics_discriminator=dict(type=DiscriminatorLoss, discriminator="dynamics"),
                    ),
                ),
                generator=dict(
                    updates=["generator"],
                    losses=dict(
                        frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"),
                        dynamics_adversarial=dict(type=AdversarialLoss, discriminator="dynamics"),
                        frame_l1=dict(type=FrameL1Loss, weight=100.0),
                        motion_l1=dict(type=MotionCycleLoss, weight=10.0),
                    ),
                ),
            ),
        )
        | changes
    )


def build(seed: int = 0, **changes) -> ImageToVideoGan:
    torch.manual_seed(seed)
    return MODELS.build(gan_config(**changes))


def set_weights(module: torch.nn.Module, gain: float = 1.5) -> None:
    """Give every weight a value by its place, so that no generator of random numbers takes part.

    Args:
        module: Any module.
        gain: Amplitude of the values of a weight, times the root of the number of its inputs.
    """
    with torch.no_grad():
        for number, (name, value) in enumerate(sorted(module.state_dict().items())):
            if value.is_floating_point() and not name.endswith(("running_mean", "running_var")):
                wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * 0.7 + number)
                value.copy_((wave * (gain / max(1, value[0].numel()) ** 0.5)).reshape(value.shape))


def optimizers(model, lr: float = 2e-4) -> OptimWrapperDict:
    wrappers = {}
    for phase in model.phases:
        parameters = [p for module in model.phase_modules(phase.name) for p in module.parameters() if p.requires_grad]
        wrappers[phase.name] = OptimWrapper(torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.999)))
    return OptimWrapperDict(**wrappers)


def moving_points(frames: int) -> torch.Tensor:
    """Landmarks (T, N, 2) in pixels that move from frame to frame, by up to six pixels."""
    time, point = torch.arange(frames)[:, None], torch.arange(POINTS)[None]
    return SIZE / 2 + torch.stack([6 * torch.sin(time / 2 + point), 5 * torch.cos(time / 3 + 2 * point)], dim=2)


def batch(lengths=(6, 4), seed: int = 0, image_videos: bool = False, **meta) -> dict:
    """Smooth moving pictures, one clip a length, as the collate function hands them over."""
    rng = torch.Generator().manual_seed(seed)

    def clip(frames: int) -> torch.Tensor:
        small = torch.rand(1, 3, frames, 4, 4, generator=rng)
        video = torch.nn.functional.interpolate(small, (frames, SIZE, SIZE), mode="trilinear", align_corners=True)
        return (video[0] * 255).round().to(torch.uint8)

    inputs = dict(
        driving=[clip(frames) for frames in lengths],
        num_frames=[torch.tensor(frames) for frames in lengths],
        label=[torch.tensor(i % len(LABELS)) for i in range(len(lengths))],
    )
    inputs["driving_maps"] = [255 - video[:MAPS] for video in inputs["driving"]]
    inputs["image_maps"] = [maps[:, 0] for maps in inputs["driving_maps"]]
    # Points that move by some pixels, on curves of their own.
    inputs["landmarks"] = [moving_points(frames) for frames in lengths]
    inputs["image_landmarks"] = [points[0] for points in inputs["landmarks"]]
    if image_videos:
        inputs["image_video"] = [clip(frames) for frames in lengths]
        inputs["image_video_num_frames"] = inputs["num_frames"]
        inputs["image"] = [video[:, 0] for video in inputs["image_video"]]
        inputs["image_maps"] = [255 - image[:MAPS] for image in inputs["image"]]
        inputs["image_landmarks"] = [points[-1] for points in inputs["landmarks"]]
    samples = [VideoSample(metainfo=dict(name=f"clip{i}", **meta)) for i in range(len(lengths))]
    return dict(inputs=inputs, data_samples=samples)
