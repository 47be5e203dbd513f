"""A few frames of each clip decoded in training: which, from what motion, compared with what, and what is refused."""

import copy

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import draw_frames
from i2vkit.models.discriminators import FramePairs, WholeClip
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import AdversarialLoss, ContentVarianceRatio, DiscriminatorLoss, FrameL1Loss, KlLoss
from i2vkit.models.training.context import GanContext
from i2vkit.structures import VideoBatch

LENGTHS = (6, 4)
FRAMES = torch.tensor([[0, 2, 5], [0, 1, 3]])
PHASES = dict(
    discriminators=dict(
        updates=["discriminators.frame"],
        losses=dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame")),
    ),
    generator=dict(
        updates=["generator"],
        losses=dict(
            frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"),
            frame_l1=dict(type=FrameL1Loss, motion_weight=4.0),
        ),
    ),
)
DISCRIMINATORS = dict(frame=narrow.discriminator())
# Decoders that work frame by frame, each with a motion of another kind.
MAKERS = {
    "trajectory": dict(),
    "unrolled code": dict(
        content_encoder=narrow.NARROW["ConvPyramidEncoder"],
        motion_encoder=narrow.NARROW["Conv3dEncoder"],
        motion_generator=narrow.NARROW["LstmUnroll"],
        decoder=narrow.NARROW["FrameDecoder"],
        head=narrow.NARROW["WarpHead"],
    ),
    "maps": dict(
        content_encoder=narrow.NARROW["ResidualPyramidEncoder"],
        motion_encoder=narrow.NARROW["MapDifferenceEncoder"],
        decoder=narrow.NARROW["DenseDecoder"],
        head=narrow.NARROW["ResidualHead"],
    ),
}


def build(generator: dict | None = None, **changes):
    return narrow.build(**(dict(generator=generator or {}, discriminators=DISCRIMINATORS, phases=PHASES) | changes))


def clip_of(model, lengths=LENGTHS, **own) -> VideoBatch:
    return model.data_preprocessor(narrow.batch(lengths=lengths, **own))["clip"]


def test_the_first_frame_is_always_there_and_padding_only_where_a_clip_is_too_short():
    torch.manual_seed(0)
    seen = torch.zeros(8)
    for _ in range(400):
        frames = draw_frames(torch.tensor([8, 5, 2]), 3, torch.rand(3, 8))
        assert (frames[:, 0] == 0).all() and (frames.diff(dim=1) > 0).all()
        assert frames[1].max() < 5 and frames[2, 1] == 1
        seen[frames[0, 1:]] += 1
    assert torch.allclose(seen[1:] / 400, torch.full((7,), 3 / 7), atol=0.08)  # every other frame as often
    assert draw_frames(None, 9, torch.rand(2, 4)).tolist() == [[0, 1, 2, 3]] * 2


def test_a_clip_and_all_that_goes_with_it_are_cut_by_the_same_indices():
    whole = clip_of(narrow.build(), image_videos=True)
    batch, _, length = whole.driving.shape[:3]
    time = torch.arange(length).expand(batch, -1)
    joints = torch.cat([torch.full((batch, 2), -1), time], dim=1)[:, :, None, None].expand(-1, -1, 5, 2).float()
    own = dict(states=time, boxes=time[:, :, None].expand(-1, -1, 4).float(), joints=joints)
    few = VideoBatch(**{**vars(whole), **own}).select_frames(FRAMES, FRAMES)
    for row, frames in enumerate(FRAMES):
        for name in ("driving", "driving_maps", "image_video"):
            assert torch.equal(getattr(few, name)[row], getattr(whole, name)[row][:, frames])
        assert torch.equal(few.states[row], frames) and torch.equal(few.boxes[row, :, 0], frames.float())
        assert few.joints[row, :, 0, 0].tolist() == [-1, -1, *frames]  # observed poses stay
    assert few.num_frames.tolist() == few.image_video_num_frames.tolist() == [3, 3]
    assert torch.equal(few.image_maps, whole.image_maps) and torch.equal(few.label, whole.label)
    short = VideoBatch(whole.driving, num_frames=torch.tensor([6, 2])).select_frames(FRAMES)
    assert short.num_frames.tolist() == [3, 2] and short.image_video is None


@pytest.mark.parametrize("kind", MAKERS)
def test_decoded_frames_are_those_of_the_whole_video(kind):
    model = build(MAKERS[kind]).eval()
    clip = clip_of(model)
    with torch.no_grad():
        for parameter in model.generator.decoder.parameters():
            parameter.mul_(4)  # the first weights are small, and so is what they do
        whole = model.generator(clip, model.passes, GenerationState([1, 2]))["reconstruct"]
        few = model.generator(clip, model.passes, GenerationState([1, 2]), FRAMES)["reconstruct"]
    assert (whole.video[0, :, 1:] - whole.video[0, :, :-1]).abs().amax(dim=(0, 2, 3)).min() > 1e-3
    for row, frames in enumerate(FRAMES):
        assert torch.allclose(few.video[row], whole.video[row][:, frames], atol=1e-5)
    assert few.motion.length == 3 and few.motion.num_frames.tolist() == [3, 3]
    for name in ("trajectory", "code"):
        wanted, found = getattr(whole.encoded, name), getattr(few.encoded, name)
        assert (wanted is None and found is None) or torch.equal(wanted, found)


def test_content_of_every_frame_is_encoded_for_the_decoded_ones():
    model = build(MAKERS["unrolled code"], passes=dict(reconstruct=dict(content_per_frame=True))).eval()
    with torch.no_grad():
        made = model.generator(clip_of(model), model.passes, frames=FRAMES)["reconstruct"]
        whole = model.generator(clip_of(model), model.passes)["reconstruct"]
    assert torch.allclose(made.content.code[0], whole.content.code[0, FRAMES[0]], atol=1e-5)
    assert torch.allclose(made.video[1], whole.video[1][:, FRAMES[1]], atol=1e-5)


def test_losses_compare_the_decoded_frames_with_the_true_ones():
    model = build(MAKERS["unrolled code"]).eval()
    clip = clip_of(model)
    context = GanContext(model, clip, 0, ("reconstruct",), True, FRAMES)
    video = context.generated("reconstruct").video
    true = torch.stack([clip.driving[row][:, frames] for row, frames in enumerate(FRAMES)])
    change = (true - clip.driving[:, :, :1]).abs().amax(dim=1, keepdim=True)
    assert FrameL1Loss()(context).item() == pytest.approx((video - true).abs().mean().item(), rel=1e-5)
    weighted = ((1 + 4 * change) * (video - true).abs()).mean().item()
    assert FrameL1Loss(motion_weight=4.0)(context).item() == pytest.approx(weighted, rel=1e-5)
    conditioned = context.real("reconstruct")
    assert torch.equal(conditioned.video, true) and conditioned.num_frames.tolist() == [3, 3]
    whole = model.generator.encode_motion(clip, GenerationState())
    assert torch.equal(context.encoded("reconstruct").mean, whole.mean)


def test_a_step_decodes_so_many_frames_and_a_test_all_of_them():
    model = build(decoded_frames=2)
    lengths = []
    model.generator.decoder.register_forward_hook(lambda part, given, made: lengths.append(made[0].shape[2]))
    log = model.train_step(narrow.batch(lengths=(6, 6)), narrow.optimizers(model))
    assert lengths == [3] and all(torch.isfinite(value) for value in log.values())
    lengths.clear()
    assert model.test_step(narrow.batch(lengths=(6, 6)))[0].generated.shape[1] == 6
    assert lengths == [6]


def test_targets_are_cut_too_and_alike_where_they_are_as_long():
    passes = dict(reconstruct=dict(), transfer=dict(content="image", target="image_video"))
    phases = copy.deepcopy(PHASES)
    phases["discriminators"]["losses"]["frame_discriminator"]["passes"] = ("reconstruct", "transfer")
    model = build(passes=passes, phases=phases, decoded_frames=2)
    clip = clip_of(model, image_videos=True)
    frames, image_video_frames = model._draw_frames(clip)
    assert torch.equal(frames, image_video_frames) and frames.shape == (2, 3)
    model.train_step(narrow.batch(image_videos=True), narrow.optimizers(model))


def test_the_same_random_state_draws_the_same_frames():
    model = build(decoded_frames=2)
    clip = clip_of(model)
    torch.manual_seed(3)
    first = model._draw_frames(clip)[0]
    torch.manual_seed(3)
    assert torch.equal(first, model._draw_frames(clip)[0])


def test_losses_that_do_not_compare_in_time_are_welcome():
    losses = dict(
        frame_l1=dict(type=FrameL1Loss),
        kl=dict(type=KlLoss),
        content_variance_ratio=dict(type=ContentVarianceRatio, pass_name="each"),
    )
    model = build(
        MAKERS["unrolled code"],
        passes=dict(reconstruct=dict(), each=dict(content_per_frame=True)),
        phases=dict(generator=dict(updates=["generator"], losses=losses)),
        decoded_frames=2,
    )
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert set(log) == {"frame_l1", "kl", "content_variance_ratio", "generator_total"}


def with_loss(name: str, loss: dict, **changes) -> dict:
    generator = PHASES["generator"]
    return dict(phases=PHASES | dict(generator=dict(generator, losses=generator["losses"] | {name: loss}))) | changes


@pytest.mark.parametrize(
    "changes, message",
    [
        (with_loss("motion_l1", dict(type="MotionCycleLoss")), "loss 'motion_l1' needs whole clips"),
        (
            with_loss(
                "content_l1",
                dict(type="ContentInvarianceLoss"),
                generator=MAKERS["unrolled code"],
                passes=dict(reconstruct=dict(content_per_frame=True)),
            ),
            "loss 'content_l1' needs whole clips",
        ),
        (
            with_loss(
                "dynamics_adversarial",
                dict(type=AdversarialLoss, discriminator="dynamics"),
                discriminators=DISCRIMINATORS
                | dict(dynamics=narrow.discriminator("VectorDiscriminator", "LastDynamics")),
            ),
            "loss 'dynamics_adversarial' needs whole clips",
        ),
        (
            with_loss(
                "video_adversarial",
                dict(type=AdversarialLoss, discriminator="video", view=dict(type=WholeClip)),
                discriminators=DISCRIMINATORS | dict(video=narrow.discriminator("VideoDiscriminator", "RandomWindow")),
            ),
            "loss 'video_adversarial' needs whole clips",
        ),
        (
            with_loss(
                "pair_adversarial",
                dict(type=AdversarialLoss, discriminator="pair", view=dict(type=FramePairs, max_distance=2)),
                discriminators=DISCRIMINATORS
                | dict(pair=narrow.discriminator("ProjectedPairDiscriminator", "FramePairs")),
            ),
            "loss 'pair_adversarial' needs whole clips",
        ),
        (
            dict(
                generator=dict(
                    content_encoder=narrow.NARROW["ConvPyramidEncoder"],
                    motion_encoder=None,
                    motion_generator=narrow.NARROW["LabelFusion"],
                    decoder=narrow.NARROW["TransposedConv1p2dDecoder"],
                )
            ),
            "TransposedConv1p2dDecoder makes whole clips",
        ),
        (dict(generator=dict(refiner=narrow.NARROW["VolumeRefiner"])), "VolumeRefiner makes whole clips"),
        (dict(decoded_frames=0), "decoded_frames is 0, but takes a whole number from 1"),
    ],
)
def test_what_needs_whole_clips_is_refused_when_the_model_is_built(changes, message):
    changes = dict(decoded_frames=2) | changes
    with pytest.raises(ConfigError, match=message):
        build(**changes)
    if changes["decoded_frames"]:
        build(**changes | dict(decoded_frames=None))
