"""Narrow models that have every registered loss between them, clips for them, and one loss on one batch of a model."""

from collections.abc import Callable
from dataclasses import fields, replace

import narrow
import torch
from torch import Tensor, nn

from i2vkit.datasets.collation import NOTHING, TIME
from i2vkit.models import (
    CnnLstmClassifier,
    ImageToVideoGan,
    LandmarkRegressor,
    MotionRegressor,
    PoseLstm,
    SupervisedModel,
)
from i2vkit.models.losses import (
    AdversarialLoss,
    BaseL1Loss,
    CategoryLoss,
    ClassCompactnessLoss,
    ContentInvarianceLoss,
    ContentVarianceRatio,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    EquivarianceLoss,
    FeatureMatchingLoss,
    FeatureSimilarityLoss,
    FirstFrameL1Loss,
    FrameChangeLoss,
    FrameClassLoss,
    FrameL1Loss,
    FrameL2Loss,
    GradientDifferenceLoss,
    GradientPenaltyLoss,
    KlLoss,
    LandmarkChangeLoss,
    LandmarkLoss,
    Loss,
    MaskSparsityLoss,
    MotionCycleLoss,
    PerceptualPyramidLoss,
    PoseLoss,
    SequenceClassLoss,
    StateClassLoss,
    StateCompactnessLoss,
    StateContinuityLoss,
)
from i2vkit.models.training.context import GanContext
from i2vkit.models.training.phased_model import PhasedModel
from i2vkit.models.training.supervised_model import SupervisedContext
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch

_PART = narrow.NARROW
LENGTHS = (6, 5, 4)
OBSERVED = 4  # poses that a pose LSTM sees


def _gan(generator: dict, discriminators: dict, of_discriminators: dict, losses: dict, **own) -> dict:
    """A GAN whose two phases update all discriminators and the whole generator."""
    phases = dict(generator=dict(updates=["generator"], losses=losses))
    if of_discriminators:
        updates = [f"discriminators.{name}" for name in discriminators]
        phases = dict(discriminators=dict(updates=updates, losses=of_discriminators)) | phases
    return narrow.gan_config(generator=generator, discriminators=discriminators, phases=phases, **own)


def _supervised(network: dict, labels: list[str] | None = None, **losses) -> dict:
    """A network whose losses all update all of it."""
    phases = dict(all=dict(updates=["network"], losses={name: dict(type=kind) for name, kind in losses.items()}))
    return dict(type=SupervisedModel, network=network, image_size=narrow.SIZE, labels=labels or [], phases=phases)


# Without dropout, which is noise in tests too, and with views that draw nothing.
CONFIGS: dict[str, dict] = dict(
    dtgan=_gan(
        dict(decoder=_PART["UNetDecoder"] | dict(dropout=0.0, embedder_dropout=0.0)),
        dict(
            frame=narrow.discriminator(),
            dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics"),
            image=narrow.discriminator(condition="image", classify=True),
        ),
        dict(
            frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
            dynamics_discriminator=dict(type=DiscriminatorLoss, discriminator="dynamics"),
            image_discriminator_category=dict(type=DiscriminatorCategoryLoss, discriminator="image"),
            frame_penalty=dict(type=GradientPenaltyLoss, discriminator="frame", at=("real", "generated")),
        ),
        dict(
            frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"),
            dynamics_adversarial=dict(type=AdversarialLoss, discriminator="dynamics"),
            image_category=dict(type=CategoryLoss, discriminator="image"),
            frame_l1=dict(type=FrameL1Loss),
            moving_l1=dict(type=FrameL1Loss, motion_weight=4.0),
            motion_l1=dict(type=MotionCycleLoss),
            first_frame_l1=dict(type=FirstFrameL1Loss),
        ),
    ),
    # A code for the content of each frame, and a Gaussian code for the motion.
    dual_mtgan=_gan(
        dict(
            content_encoder=_PART["ConvPyramidEncoder"],
            motion_encoder=_PART["Conv3dEncoder"],
            motion_generator=_PART["LstmUnroll"],
            decoder=_PART["FrameDecoder"],
        ),
        {},
        {},
        dict(
            content=dict(type=ContentInvarianceLoss),
            relative_content=dict(type=ContentInvarianceLoss, relative=True),
            content_variance_ratio=dict(type=ContentVarianceRatio),
            kl=dict(type=KlLoss),
        ),
        passes=dict(reconstruct=dict(content_per_frame=True)),
    ),
    # Learned points and a warped image.
    fomm=_gan(
        dict(
            content_encoder=_PART["StageEncoder"],
            motion_encoder=_PART["KeypointEncoder"] | dict(local="affine"),
            motion_generator=_PART["DenseFlow"] | dict(groups=0, correction=False, visible=True),
            decoder=_PART["WarpedPyramidDecoder"],
        ),
        dict(frame=narrow.discriminator("PooledFrameDiscriminator", condition="points")),
        {},
        dict(
            base_l1=dict(type=BaseL1Loss),
            point_l1=dict(type=MotionCycleLoss),
            frame_features=dict(type=FeatureMatchingLoss, discriminator="frame", channel_weights=(2.0, 1.0)),
            equivariance=dict(type=EquivarianceLoss),
            perceptual=dict(type=PerceptualPyramidLoss, shrink=(1, 2)),
        ),
    ),
    # A code for every step, with a learned prior of it. True frames are fed, as made ones follow from noise.
    svg=_gan(
        dict(
            content_encoder=_PART["StageEncoder"],
            motion_encoder=_PART["RecurrentPosterior"] | dict(prior="learned"),
            motion_generator=_PART["LstmPredictor"],
            decoder=_PART["StageDecoder"],
        ),
        {},
        {},
        dict(step_kl=dict(type=KlLoss)),
        passes=dict(reconstruct=dict(feed="truth")),
    ),
    # A rollout behind two given frames, of frames of three sizes.
    mathieu=_gan(
        dict(motion_encoder=None, decoder=_PART["MultiScaleDecoder"], head=_PART["ResidualHead"]),
        {},
        {},
        dict(
            frame_l2=dict(type=FrameL2Loss, every_scale=True),
            gradient_difference=dict(type=GradientDifferenceLoss, every_scale=True),
            made_mask=dict(type=MaskSparsityLoss),
            features=dict(type=FeatureSimilarityLoss, size=16),
        ),
        passes=dict(reconstruct=dict(observed=2)),
    ),
    classifier=_supervised(
        dict(type=CnnLstmClassifier, encoder=_PART["CnnLstmEncoder"]),
        narrow.LABELS,
        frame_class=FrameClassLoss,
        class_compactness=ClassCompactnessLoss,
        frame_state=StateClassLoss,
        state_compactness=StateCompactnessLoss,
        state_continuity=StateContinuityLoss,
        sequence_class=SequenceClassLoss,
    ),
    regressor=_supervised(
        dict(type=MotionRegressor, encoder=_PART["CnnLstmEncoder"], side=8, num_landmarks=narrow.POINTS),
        frame_change=FrameChangeLoss,
        landmark_change=LandmarkChangeLoss,
    ),
    landmarks=_supervised(dict(type=LandmarkRegressor, encoder=_PART["LandmarkEncoder"]), landmarks=LandmarkLoss),
    poses=_supervised(dict(type=PoseLstm, observed=OBSERVED, hidden=8), pose=PoseLoss),
)


def set_weights(module: nn.Module, gain: float = 2.0) -> None:
    """Give every weight a value that follows from its place, as uneven as a random one, so that inputs come through.

    Args:
        module: Any module.
        gain: Standard deviation of the weights of a layer, times the root of the number of its inputs.
    """
    with torch.no_grad():
        for number, (name, value) in enumerate(sorted(module.state_dict().items())):
            if not value.is_floating_point() or name.endswith(("running_mean", "running_var")):
                continue
            bits = torch.arange(value.numel()) + (number + 1) * 100_003
            for _ in range(2):  # an integer hash of 32 bits
                bits = ((bits >> 16) ^ bits) * 0x45D9F3B % 2**32
            uneven = ((bits >> 16) ^ bits) / 2**32  # in [0, 1), of variance 1 / 12
            uniform = ((2 * uneven - 1) * 3**0.5).reshape(value.shape)
            if value.dim() > 1:
                value.copy_(uniform * gain / value[0].numel() ** 0.5)
            else:  # of a bias, or of a norm, which has a factor near 1
                value.copy_(0.1 * uniform + name.endswith("weight"))


class Features(nn.Module):
    """Stands for a VGG, whose weights would have to be fetched: two maps of each picture, or the last of them."""

    def __init__(self, all_maps: bool):
        super().__init__()
        self.all_maps = all_maps
        self.layers = nn.ModuleList([nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 6, 3)])
        set_weights(self)

    def forward(self, pictures: Tensor) -> Tensor | list[Tensor]:
        """Return maps of pictures (N, 3, H, W)."""
        fine = self.layers[0](pictures).relu()
        maps = [fine, self.layers[1](fine)]
        return maps if self.all_maps else maps[-1]


def build(name: str, first_weights: bool = False) -> PhasedModel:
    """Return a model in eval mode, with weights that a formula makes or with random first weights."""
    torch.manual_seed(0)
    model: PhasedModel = MODELS.build(CONFIGS[name]).eval()
    if not first_weights:
        set_weights(model)
    for loss in losses_of(model):
        if isinstance(loss, FeatureSimilarityLoss):
            loss._networks["vgg"] = Features(all_maps=False)
        if isinstance(loss, PerceptualPyramidLoss):
            loss._network.append(Features(all_maps=True))
    return model


def losses_of(model: PhasedModel) -> list[Loss]:
    """Return the losses of all phases."""
    return [loss for phase in model.phases for loss in phase.losses]


def context_of(model: PhasedModel, clip: VideoBatch, with_gradients: bool = False) -> GanContext | SupervisedContext:
    """Return the context that all losses of a model are called with."""
    if isinstance(model, ImageToVideoGan):
        return GanContext(model, clip, 0, tuple(model.passes), with_gradients)
    return SupervisedContext(model, clip, 0, sorted({name for loss in losses_of(model) for name in loss.outputs}))


def loss_in(context: GanContext | SupervisedContext, name: str) -> Tensor:
    """Return one loss of the context's model, whose random numbers are always the same."""
    [loss] = [loss for loss in losses_of(context.model) if loss.name == name]
    torch.manual_seed(0)
    with context.autocast():
        return loss(context)


def batch_of(lengths: tuple[int, ...] = LENGTHS) -> dict:
    """Return a collated batch with everything that some loss reads."""
    inputs = narrow.batch(lengths=lengths)["inputs"]
    inputs["states"] = [torch.arange(length) * 3 // length for length in lengths]
    places = torch.linspace(2, 20, 13)[:, None] * torch.tensor([1.0, 0.5])  # (J, 2) in pixels
    steps = [torch.arange(OBSERVED + length)[:, None, None] for length in lengths]
    inputs["joints"] = [places + (clip + 1) * step**1.5 / 4 for clip, step in enumerate(steps)]
    return dict(inputs=inputs, data_samples=[])


def clips_of(lengths: tuple[int, ...] = LENGTHS) -> VideoBatch:
    """Return that batch as models see it."""
    return MODELS.build(dict(type="ClipPreprocessor"))(batch_of(lengths))["clip"]


def picked(clips: VideoBatch, order: list[int]) -> VideoBatch:
    """Return some of the clips, in this order."""
    return _of_fields(clips, lambda name, values: values[order])


def padded_otherwise(clips: VideoBatch, more: int = 2) -> VideoBatch:
    """Return the clips with ``more`` padded frames, and with noise in the padding that ``num_frames`` tells of."""
    assert clips.num_frames is not None, "no clip is padded"

    def padded(name: str, values: Tensor) -> Tensor:
        if name not in TIME:
            return values
        time = TIME[name] + 1  # behind the axis of the clips
        shape = list(values.shape)
        shape[time] += more
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        # States and joints tell of their padding by their values.
        padding = torch.full(shape, NOTHING[name]) if name in ("states", "joints") else noise
        for own, clip, length in zip(padding, values, clips.num_frames.tolist(), strict=True):
            length += OBSERVED if name == "joints" else 0
            own.narrow(time - 1, 0, length).copy_(clip.narrow(time - 1, 0, length))
        return padding.to(values.dtype)

    return _of_fields(clips, padded)


def _of_fields(clips: VideoBatch, change: Callable[[str, Tensor], Tensor]) -> VideoBatch:
    given = {field.name: getattr(clips, field.name) for field in fields(clips)}
    return replace(clips, **{name: change(name, value) for name, value in given.items() if value is not None})
