"""What can be mixed, read from the registries; what is refused, and why; the narrow model of a mix."""

from itertools import product

import narrow
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from pairwise import Pair

import i2vkit.models  # noqa: F401  registers the parts
from i2vkit.errors import ConfigError
from i2vkit.models.assembly import plan_generator
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    FeatureSimilarityLoss,
    FrameL1Loss,
    KlLoss,
    PerceptualPyramidLoss,
    PoseLoss,
)
from i2vkit.models.losses.discriminator_losses import DiscriminatorTerm
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import (
    ADVERSARIAL_LOSSES,
    AUGMENTATIONS,
    CONTENT_ENCODERS,
    DECODERS,
    DISCRIMINATORS,
    HEADS,
    LOSSES,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    REFINERS,
    VIEWS,
    Registry,
)


def names(registry: Registry) -> list[str]:
    """What is registered; parts from outside the package, which other tests register, aside."""
    return [name for name, part in registry.module_dict.items() if part.__module__.startswith("i2vkit.")]


def part(name: str | None, registry: Registry) -> dict | None:
    """The narrow config of a part."""
    return None if name is None else narrow.NARROW.get(name, dict(type=registry.get(name)))


def generator_config(row: dict) -> dict:
    """The generator of a row of levels."""
    encoder, generator = row["motion"]
    return dict(
        content_encoder=part(row["content_encoder"], CONTENT_ENCODERS),
        motion_encoder=part(encoder, MOTION_ENCODERS),
        motion_generator=part(generator, MOTION_GENERATORS),
        decoder=part(row["decoder"], DECODERS),
        head=part(row["head"], HEADS),
        refiner=part(row.get("refiner"), REFINERS),
    )


def read_slots(content: str | None, motion: tuple, decoder: str) -> tuple[str | None, tuple]:
    """Content encoder and motion of the same model with None for every part that nobody reads."""
    config = generator_config(dict(content_encoder=content, motion=motion, decoder=decoder, head=None))
    del config["head"], config["refiner"]
    plan = plan_generator(**config, num_labels=len(narrow.LABELS))
    encoder, generator = motion
    read = encoder if "motion_encoder" in plan.used else None, generator if "motion_generator" in plan.used else None
    return content if "content_encoder" in plan.used else None, read


def reads(motion: tuple, decoder: str) -> bool:
    """Whether a decoder, given a content, reads a motion encoder and generator, both."""
    try:
        return read_slots("ConvPyramidEncoder", motion, decoder)[1] == motion
    except ConfigError:
        return False


# Need weights and joints: test_feature_loss.py, test_first_order_losses.py, test_pose_lstm.py.
ELSEWHERE = (FeatureSimilarityLoss, PerceptualPyramidLoss, PoseLoss)
MOTIONS = list(product([None, *names(MOTION_ENCODERS)], [None, *names(MOTION_GENERATORS)]))
PASSES = {
    "driving": dict(),
    "each": dict(content_per_frame=True),
    "image_video": dict(content="image", target="image_video"),
    "prior": dict(motion="prior"),
}
NEGATIVES = {
    "generated": dict(),
    "wrong label": dict(wrong_label=0.5),
    "wrong image": dict(wrong_image=0.5),
    "wrong past": dict(wrong_past=0.5),
    "static": dict(real_static=True),
}
# What one model can be made of; "motion" is a motion encoder with a motion generator.
FACTORS: dict[str, list] = {
    "content_encoder": [None, *names(CONTENT_ENCODERS)],
    "motion": MOTIONS,
    "decoder": names(DECODERS),
    "head": names(HEADS),
    "refiner": [None, *names(REFINERS)],
    "network": names(DISCRIMINATORS),
    "view": names(VIEWS),
    "adversarial": names(ADVERSARIAL_LOSSES),
    "augment": [None, *names(AUGMENTATIONS)],
    "condition": [None, "label", "image", "maps", "past", "points"],
    "classify": [False, True],
    "negative": list(NEGATIVES),
    "pass": list(PASSES),
    "loss": [
        name
        for name in names(LOSSES)
        if issubclass(LOSSES.get(name), PassLoss | DiscriminatorTerm) and not issubclass(LOSSES.get(name), ELSEWHERE)
    ],
}
OF_DISCRIMINATORS = (
    "DiscriminatorCategoryLoss",
    "DiscriminatorLoss",
    "GradientPenaltyLoss",
)  # losses that discriminators minimise
GENERATOR = ("content_encoder", "motion", "decoder", "head", "refiner")

_CODED = ["DenseDecoder", "FrameDecoder", "TransposedConv1p2dDecoder", "TransposedConv3dDecoder", "TwoStreamDecoder"]
_WHOLE = ["TransposedConv1p2dDecoder", "TransposedConv3dDecoder", "TwoStreamDecoder"]  # one code a clip
_TRANSPOSED = _WHOLE[:2]
_STEPPED = ["DenseDecoder", "FrameDecoder", "StageDecoder", "UNetDecoder"]  # a trajectory
_MOVED = [*_STEPPED, *_TRANSPOSED]
_WARPED = ["WarpedPyramidDecoder"]
_FRAME_DISCRIMINATORS = [
    "ConvPerceptron",
    "FrameDiscriminator",
    "PooledFrameDiscriminator",
    "ProjectedFrameDiscriminator",
    "ResidualFrameDiscriminator",
]
_CLIP_DISCRIMINATORS = [
    "ProjectedPairDiscriminator",
    "ResidualVideoDiscriminator",
    "StackedFrameDiscriminator",
    "VideoDiscriminator",
]
_FRAME_VIEWS = ["AllFrames", "AtScale", "Patch", "RandomFrames"]
_CLIP_VIEWS = ["FramePairs", "RandomWindow", "WholeClip"]
# Motions of which some decoder reads all; the others are the same as one of these.
_READ = [motion for motion in MOTIONS if any(reads(motion, decoder) for decoder in FACTORS["decoder"])]
_READ.remove(("DifferenceEncoder", "LstmUnroll"))  # no decoder that reads it can be built, see below
_FINDERS = [name for name in names(MOTION_ENCODERS) if "motion.points" in MOTION_ENCODERS.get(name).provides]
_POINTED = [motion for motion in _READ if motion[0] in _FINDERS]
_POINTS_ALONE = [motion for motion in _READ if motion[0] == "KeypointEncoder"]  # and no trajectory
_UNPOINTED = [motion for motion in _READ if motion not in _POINTED]
_DRAWN = [motion for motion in _READ if motion[0] is None]
_NOT_VIDEO = [motion for motion in _READ if motion[0] in ("GivenLandmarks", "MapDifferenceEncoder")]
_GIVEN_POINTS = [motion for motion in _READ if motion[0] == "GivenLandmarks"]
_UNVARIED = [motion for motion in _READ if motion[0] not in ("Conv3dEncoder", "RecurrentPosterior")]
# Motions that read the frames before, of which some decoder reads all.
_PAST = [motion for motion in _READ if motion[0] == "DifferenceEncoder" or motion[1] == "LstmPredictor"]
_OWN_FRAMES = [motion for motion in _READ if motion[0] == "DifferenceEncoder"]
_GIVES_MAPS = (
    "DifferenceEncoder",
    "GivenLandmarks",
    "KeypointEncoder",
    "LandmarkEncoder",
    "MapDifferenceEncoder",
)  # of points by an adapter
_NO_MAPS = [motion for motion in MOTIONS if motion[0] not in _GIVES_MAPS]


def _with(encoder: str | None, *generators: str | None) -> list[tuple]:
    """Motions of one encoder."""
    return [(encoder, generator) for generator in generators]


_FRAME_CODES, _CATEGORIES = (
    ["ContentInvarianceLoss", "ContentVarianceRatio"],
    ["CategoryLoss", "DiscriminatorCategoryLoss"],
)

# Maps of points without points; decoders that read maps, and those that move something and read none.
_POINTLESS = [(encoder, "PointMaps") for encoder in [None, *names(MOTION_ENCODERS)] if encoder not in _FINDERS]
_MAPPED = [name for name in names(DECODERS) if "motion.maps" in DECODERS.get(name).reads()]
_UNMAPPED = [name for name in _MOVED if name not in _MAPPED]

# Every pair that makes no sense: what the error says, and one level of one factor with one of another.
REFUSED: list[tuple[str, str, list, str, list]] = [
    # Only a flow says where the pixels of a frame come from: made from learned points, or from a trajectory.
    (
        "needs motion.flow, but",
        "motion",
        [
            motion
            for motion in MOTIONS
            if motion[1] in (None, "LabelFusion", "PointMaps")
            and motion[0] in (None, "Conv3dEncoder", "KeypointEncoder", "RecurrentPosterior")
        ],
        "decoder",
        ["WarpedPyramidDecoder"],
    ),
    ("LstmUnroll needs motion.code", "motion", [(None, "LstmUnroll")], "decoder", ["WarpedPyramidDecoder"]),
    (
        "DenseFlow needs motion.points",
        "motion",
        [(encoder, "DenseFlow") for encoder in (None, *names(MOTION_ENCODERS)) if encoder not in _FINDERS],
        "decoder",
        ["WarpedPyramidDecoder"],
    ),
    # No code of a clip follows from points.
    ("LstmUnroll needs motion.code", "motion", [("KeypointEncoder", "LstmUnroll")], "decoder", [*_MOVED, *_WARPED]),
    (
        "needs motion.code, but",
        "motion",
        [("KeypointEncoder", generator) for generator in (None, "DenseFlow", "PointMaps")],
        "decoder",
        ["TransposedConv1p2dDecoder", "TransposedConv3dDecoder"],
    ),
    # A decoder that starts from the code of an image cannot do without one.
    ("needs content.code, but content_encoder=None", "content_encoder", [None], "decoder", _CODED),
    (
        "needs content.pyramid, but content_encoder=None",
        "content_encoder",
        [None],
        "decoder",
        ["StageDecoder", "StageMapDecoder", "TwoStreamMapDecoder", *_WARPED],
    ),
    # Nothing says what moves. (VGAN's decoder invents the motion from the image.)
    ("needs motion.*, but motion_encoder=None", "motion", [(None, None), (None, "DenseFlow")], "decoder", _MOVED),
    # An LSTM unrolls a code, which a motion encoder gives.
    ("LstmUnroll needs motion.code", "motion", [(None, "LstmUnroll")], "decoder", _MOVED),
    # Maps come from an encoder of maps.
    ("StageMapDecoder needs motion.maps", "motion", _NO_MAPS, "decoder", ["StageMapDecoder"]),
    # Codes of frames come from a content encoder.
    (
        "needs content.code, but content_encoder=None",
        "content_encoder",
        [None],
        "motion",
        [
            *(
                (encoder, "LstmPredictor")
                for encoder in (
                    None,
                    "Conv3dEncoder",
                    "DifferenceEncoder",
                    "MapDifferenceEncoder",
                    "RecurrentPosterior",
                )
            ),
            *_with("RecurrentPosterior", None, "LstmUnroll"),
        ],
    ),
    # A code for every step does not go into one that is unrolled, nor a rollout through a mean over the clip.
    (
        "reads one motion code a clip",
        "motion",
        _with("RecurrentPosterior", None, "DenseFlow", "LstmPredictor", "LstmUnroll", "NoiseGru"),
        "decoder",
        _WHOLE,
    ),
    (
        "all parts are called step by step, and T|refines whole clips",
        "motion",
        [
            *_with("DifferenceEncoder", None, "DenseFlow", "LstmPredictor", "LstmUnroll", "NoiseGru"),
            (None, "LstmPredictor"),
            ("KeypointEncoder", "LstmPredictor"),
        ],
        "decoder",
        _TRANSPOSED,
    ),
    (
        "all parts are called step by step, and T|refines whole clips",
        "motion",
        [("DifferenceEncoder", "LstmUnroll")],
        "decoder",
        _STEPPED,
    ),
    ("refines whole clips", "motion", _PAST, "refiner", names(REFINERS)),
    ("refines whole clips", "decoder", ["MultiScaleDecoder"], "refiner", names(REFINERS)),
    # A rollout begins with the image, and has one content code at a time.
    ("begins every video", "motion", _PAST, "loss", ["FirstFrameL1Loss"]),
    ("begins every video", "decoder", ["MultiScaleDecoder"], "loss", ["FirstFrameL1Loss"]),
    ("has one only", "motion", _PAST, "loss", _FRAME_CODES),
    ("encodes the frames before|that gives any", "motion", _OWN_FRAMES, "view", ["LastDynamics"]),
    ("encodes the frames before", "motion", _OWN_FRAMES, "loss", ["MotionCycleLoss"]),
    # Maps are drawn of points, which a motion encoder finds.
    ("PointMaps needs motion.points", "motion", _POINTLESS, "decoder", _MAPPED),
    ("needs motion.*, but motion_encoder=None", "motion", [(None, "PointMaps")], "decoder", _UNMAPPED),
    # A discriminator is shown what it judges: pictures, clips or vectors.
    ("judges frames, but", "network", _FRAME_DISCRIMINATORS, "view", [*_CLIP_VIEWS, "LastDynamics"]),
    ("judges clip, but", "network", _CLIP_DISCRIMINATORS, "view", [*_FRAME_VIEWS, "LastDynamics"]),
    (
        "judges vector, but|cannot be conditioned",
        "network",
        ["VectorDiscriminator"],
        "view",
        [*_FRAME_VIEWS, *_CLIP_VIEWS],
    ),
    # A network that halves time again and again wants more than two frames.
    (
        "needs clips of 4 frames or more, but FramePairs",
        "network",
        ["StackedFrameDiscriminator", "VideoDiscriminator"],
        "view",
        ["FramePairs"],
    ),
    # Augmentations are of pictures.
    ("judges vectors: leave augment out", "network", ["VectorDiscriminator"], "augment", names(AUGMENTATIONS)),
    # A vector has no places at which an image could join it.
    ("cannot be conditioned on", "network", ["VectorDiscriminator"], "condition", ["image", "maps", "past", "points"]),
    # Points are there if the motion encoder finds some.
    ('conditioned on "points"', "motion", _UNPOINTED, "condition", ["points"]),
    # Motion encoded anew from a video is there only if an encoder reads videos.
    ("no motion encoder that gives any", "motion", [*_DRAWN, *_POINTS_ALONE], "view", ["LastDynamics"]),
    ("reads .* instead of the video|that gives any", "motion", _NOT_VIDEO, "view", ["LastDynamics"]),
    ("this generator has no motion encoder", "motion", _DRAWN, "loss", ["MotionCycleLoss"]),
    ("reads .* instead of the video", "motion", _NOT_VIDEO, "loss", ["MotionCycleLoss"]),
    # Only learned points can follow a deformed picture.
    (
        "compares learned points|has no motion encoder|instead of the video|encodes the frames before",
        "motion",
        [*_UNPOINTED, *_GIVEN_POINTS],
        "loss",
        ["EquivarianceLoss"],
    ),
    # Only a variational encoder has a prior, and a divergence from it, of what it encodes.
    (
        "draws its motion from a prior, but",
        "motion",
        [motion for motion in _UNVARIED if motion not in _DRAWN and motion not in _OWN_FRAMES],
        "pass",
        ["prior"],
    ),
    ("needs a variational motion encoder", "motion", _UNVARIED, "loss", ["KlLoss"]),
    ("needs a variational motion encoder", "pass", ["prior"], "loss", ["KlLoss"]),
    # Content codes can be compared where every frame has one.
    ("has one only", "pass", ["driving", "image_video", "prior"], "loss", _FRAME_CODES),
    (
        "has one only",
        "decoder",
        [
            *_WHOLE,
            "MultiScaleDecoder",
            "StageDecoder",
            "StageMapDecoder",
            "TwoStreamMapDecoder",
            "UNetDecoder",
            *_WARPED,
        ],
        "loss",
        _FRAME_CODES,
    ),
    # Losses on what the head or the discriminator does not give, and wrong conditions that the discriminator does not
    # read.
    ("needs a head with a mask", "head", ["DirectHead"], "loss", ["MaskSparsityLoss"]),
    (
        "gives none \\(block_features\\)",
        "network",
        [
            "ConvPerceptron",
            "ProjectedFrameDiscriminator",
            "ProjectedPairDiscriminator",
            "StackedFrameDiscriminator",
            "VectorDiscriminator",
        ],
        "loss",
        ["FeatureMatchingLoss"],
    ),
    ("reads class logits", "classify", [False], "loss", _CATEGORIES),
    ("shows wrong labels", "condition", [None, "image", "maps", "past", "points"], "negative", ["wrong label"]),
    ("shows wrong images", "condition", [None, "label", "maps", "past", "points"], "negative", ["wrong image"]),
    ("shows wrong pasts", "condition", [None, "label", "image", "maps", "points"], "negative", ["wrong past"]),
]


def refused_pairs() -> dict[Pair, str]:
    """The message of every pair of levels that ``REFUSED`` lists."""
    return {
        frozenset([(left, a), (right, b)]): message
        for message, left, ones, right, others in REFUSED
        for a, b in product(ones, others)
    }


def unread_pairs() -> set[Pair]:
    """Pairs of a decoder and what it never reads at all, or in part: the same model is made without."""
    refused, unread, read_somewhere = refused_pairs(), set(), set()
    for decoder, content, motion in product(FACTORS["decoder"], FACTORS["content_encoder"], MOTIONS):
        levels = (("content_encoder", content), ("motion", motion))
        pairs = [frozenset([level, ("decoder", decoder)]) for level in levels]
        if refused.keys() & {*pairs, frozenset(levels)}:
            continue
        try:
            read = read_slots(content, motion, decoder)
        except ConfigError:  # of a motion that is the same as another, which is refused with this content
            continue
        for pair, given, used in zip(pairs, (content, motion), read, strict=True):
            (read_somewhere if given == used else unread).add(pair)
    # A motion generator may read the content where the decoder does not.
    unread -= read_somewhere
    return unread


def model_config(row: dict) -> dict:
    """The changes of ``narrow.gan_config`` that a row of levels of all factors asks for."""
    loss = dict(type=LOSSES.get(row["loss"]))
    reads_discriminator = issubclass(loss["type"], DiscriminatorTerm)
    shown = "reconstruct" if row["pass"] == "driving" else "shown"
    loss |= dict(discriminator="one", passes=shown) if reads_discriminator else dict(pass_name=shown)
    of_discriminators = row["loss"] in OF_DISCRIMINATORS
    discriminator_losses = dict(
        one_discriminator=dict(type=DiscriminatorLoss, discriminator="one", passes=shown, **NEGATIVES[row["negative"]])
    )
    category = dict(type=DiscriminatorCategoryLoss, discriminator="one", passes=shown)
    discriminator_losses |= dict(one_discriminator_category=category if row["classify"] else None)
    # On "reconstruct", where every encoder runs: what a prior leaves aside gets its gradient there.
    losses = dict(
        one_adversarial=dict(type=AdversarialLoss, discriminator="one", passes=shown), frame_l1=dict(type=FrameL1Loss)
    )
    if row["motion"][0] == "RecurrentPosterior":
        losses["kl"] = dict(type=KlLoss)  # its prior learns from the divergence alone
    own = dict(condition=row["condition"], classify=row["classify"], augment=part(row["augment"], AUGMENTATIONS))
    return dict(
        generator=generator_config(row),
        discriminators=dict(one=narrow.discriminator(row["network"], row["view"], row["adversarial"], **own)),
        passes={"reconstruct": dict(), shown: PASSES[row["pass"]]},
        phases=dict(
            discriminators=dict(
                updates=["discriminators.one"],
                losses=discriminator_losses | dict(also=loss if of_discriminators else None),
            ),
            generator=dict(updates=["generator"], losses=losses | dict(also=None if of_discriminators else loss)),
        ),
        frozen=[],
    )


class KeepingGradients(OptimWrapper):
    """Leaves the gradients where they are, for the test to look at; the next phase freezes these parameters anyway."""

    def zero_grad(self, **kwargs) -> None:
        """Nothing."""


def step_and_check_gradients(model) -> None:
    """One training step; every trainable parameter of every phase gets a finite gradient."""
    wrappers = {}
    for phase in model.phases:
        parameters = [p for module in model.phase_modules(phase.name) for p in module.parameters()]
        wrappers[phase.name] = KeepingGradients(torch.optim.Adam(parameters, lr=1e-4))
    model.train_step(narrow.batch(image_videos=True), OptimWrapperDict(**wrappers))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} gets no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{name} has a gradient that is not finite"
