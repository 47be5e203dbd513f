"""The training step: what changes, what does not, and what the losses are."""

import copy
import math
import sys
from types import SimpleNamespace

import narrow
import pytest
import torch
from torch.nn import functional

from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    FrameL1Loss,
    KlLoss,
    Loss,
    MaskSparsityLoss,
    NonSaturatingLoss,
    WassersteinLoss,
)
from i2vkit.models.training.context import GanContext
from i2vkit.registry import LOSSES
from i2vkit.structures import VideoBatch


def changed(before: dict, after: dict, prefix: str) -> list[str]:
    return [name for name in before if name.startswith(prefix) and not torch.equal(before[name], after[name])]


def context_of(model, data=None, with_gradients=True) -> GanContext:
    clip = model.data_preprocessor(data or narrow.batch())["clip"]
    return GanContext(model, clip, 0, tuple(model.passes), with_gradients)


def test_step_changes_what_its_phases_name_and_leaves_the_frozen_encoder_bit_for_bit():
    model = narrow.build()
    before = copy.deepcopy(model.state_dict())
    encoder = "generator.motion_encoder"
    for seed in range(3):
        model.train_step(narrow.batch(seed=seed), narrow.optimizers(model))
    after = model.state_dict()
    assert changed(before, after, encoder) == []
    names = [name for name, _ in model.named_parameters() if not name.startswith(encoder)]
    assert set(names) <= {*changed(before, after, "generator"), *changed(before, after, "discriminators")}


@pytest.mark.parametrize(
    "phase, moves, stays",
    [("discriminators", "discriminators", "generator"), ("generator", "generator", "discriminators")],
)
def test_a_phase_alone_updates_its_own_parameters_and_no_others(phase, moves, stays):
    config = narrow.gan_config()
    config["phases"] = {phase: config["phases"][phase]}
    model = narrow.build(phases=config["phases"])
    before = {name: p.clone() for name, p in model.named_parameters()}
    model.train_step(narrow.batch(), narrow.optimizers(model))
    after = dict(model.named_parameters())
    assert changed(before, after, moves)
    assert changed(before, after, stays) == []
    assert all(p.grad is None for name, p in after.items() if name.startswith(stays))


def test_gradients_reach_the_embedder_through_the_frozen_encoder():
    model = narrow.build()
    context = context_of(model)
    loss = next(loss for phase in model.phases for loss in phase.losses if loss.name == "motion_l1")
    loss(context).backward()
    assert model.generator.decoder.embedder.linear.weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.generator.motion_encoder.parameters())


def test_log_has_every_loss_by_name_and_the_weighted_sums():
    log = narrow.build().train_step(narrow.batch(), narrow.optimizers(narrow.build()))
    own = ["frame_adversarial", "dynamics_adversarial", "frame_l1", "motion_l1"]
    weights = [1, 1, 100, 10]
    assert log["generator_total"].item() == pytest.approx(
        sum(weight * log[name].item() for name, weight in zip(own, weights, strict=True)), rel=1e-5
    )
    assert log["discriminators_total"].item() == pytest.approx(
        (log["frame_discriminator"] + log["dynamics_discriminator"]).item(), rel=1e-6
    )


def test_equations_3_to_6_of_dtgan_against_a_plain_reference():
    model = narrow.build()
    data = narrow.batch(lengths=(6, 4))
    context = context_of(model, data)
    losses = {loss.name: loss for phase in model.phases for loss in phase.losses}
    values = {name: loss(context).item() for name, loss in losses.items()}

    clip, made = context.clip, context.generated("reconstruct").video
    frames = [(b, t) for b, length in enumerate((6, 4)) for t in range(length)]
    real_frames = torch.stack([clip.driving[b, :, t] for b, t in frames])
    fake_frames = torch.stack([made[b, :, t] for b, t in frames])
    frame, dynamics, encoder = (
        model.discriminators["frame"],
        model.discriminators["dynamics"],
        model.generator.motion_encoder,
    )

    def bce(logits, target):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target)).item()

    def z(video):  # sec. 3.1, with the static clip made and encoded in full
        static = video[:, :, :1].expand_as(video)
        full, _ = encoder.lstm(encoder.features(video))
        static, _ = encoder.lstm(encoder.features(static))
        return full - static

    assert values["frame_l1"] == pytest.approx((real_frames - fake_frames).abs().mean().item(), rel=1e-5)
    assert values["frame_discriminator"] == pytest.approx(
        bce(frame(real_frames), 1.0) + bce(frame(fake_frames), 0.0), rel=1e-4
    )
    assert values["frame_adversarial"] == pytest.approx(bce(frame(fake_frames), 1.0), rel=1e-4)
    real_z, fake_z = z(clip.driving), z(made)
    ends = torch.tensor([5, 3])
    real_end, fake_end = real_z[[0, 1], ends], fake_z[[0, 1], ends]
    expected = bce(dynamics(real_end), 1.0) + bce(dynamics(fake_end), 0.0)
    assert values["dynamics_discriminator"] == pytest.approx(expected, rel=1e-4)
    assert values["dynamics_adversarial"] == pytest.approx(bce(dynamics(fake_end), 1.0), rel=1e-4)
    difference = torch.cat([(real_z - fake_z)[b, :length].abs().flatten() for b, length in enumerate((6, 4))])
    assert values["motion_l1"] == pytest.approx(difference.mean().item(), rel=1e-3)


def test_videos_are_generated_once_a_step_and_anew_only_after_an_update():
    model = narrow.build()
    calls = []
    model.generator.decoder.register_forward_hook(lambda *_: calls.append(1))
    model.train_step(narrow.batch(), narrow.optimizers(model))
    assert len(calls) == 1
    config = narrow.gan_config()["phases"]
    calls.clear()
    # The generator first: the discriminators see the same videos, detached.
    model = narrow.build(phases=dict(generator=config["generator"], discriminators=config["discriminators"]))
    model.generator.decoder.register_forward_hook(lambda *_: calls.append(1))
    model.train_step(narrow.batch(), narrow.optimizers(model))
    assert len(calls) == 1
    calls.clear()
    model = narrow.build(phases=config | dict(generator=dict(config["generator"], repeat=2)))
    model.generator.decoder.register_forward_hook(lambda *_: calls.append(1))
    model.train_step(narrow.batch(), narrow.optimizers(model))
    assert len(calls) == 2


def test_not_finite_loss_stops_with_its_name_and_step_and_changes_nothing():
    model = narrow.build()
    with torch.no_grad():
        model.generator.decoder.embedder.linear.weight.fill_(math.nan)
    before = copy.deepcopy(model.discriminators.state_dict())
    with pytest.raises(
        TrainingError, match=r"loss 'frame_discriminator' of phase 'discriminators' is nan at iteration"
    ):
        model.train_step(narrow.batch(), narrow.optimizers(model))
    parameters = dict(model.discriminators.named_parameters())
    assert all(torch.equal(before[name], p) for name, p in parameters.items())


def test_a_weighted_sum_that_is_not_finite_stops_too():
    phase = dict(
        narrow.gan_config()["phases"]["generator"],
        losses=dict(frame_l1=dict(type=FrameL1Loss, weight=sys.float_info.max)),
    )
    model = narrow.build(phases=dict(generator=phase))
    before = copy.deepcopy(dict(model.named_parameters()))
    with pytest.raises(TrainingError, match=r"loss 'generator_total' of phase 'generator' is inf at iteration 0"):
        model.train_step(narrow.batch(), narrow.optimizers(model))
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


def test_wasserstein_penalty_of_a_linear_discriminator_is_exact_in_4_and_5_dimensions():
    loss = WassersteinLoss(gradient_penalty=10.0)
    for shape in [(3, 2, 4, 4), (3, 2, 5, 4, 4)]:
        weight = torch.randn(shape[1:])
        real, fake = DiscriminatorInput(torch.randn(shape)), DiscriminatorInput(torch.randn(shape))

        def score(disc_input, weight=weight):
            return (disc_input.sample * weight).flatten(1).sum(dim=1)

        penalty = 10 * (weight.norm() - 1) ** 2
        expected = score(fake).mean() - score(real).mean() + penalty
        assert loss.discriminator_loss(score, real, [(fake, 1.0)]).item() == pytest.approx(expected.item(), rel=1e-4)


def test_non_saturating_loss_of_known_logits():
    loss = NonSaturatingLoss()
    fake = loss.generator_loss(lambda x: x, torch.zeros(4))
    assert fake.item() == pytest.approx(math.log(2))
    both = loss.discriminator_loss(
        lambda x: x, torch.full((2,), math.log(3)), [(torch.zeros(2), 0.5), (torch.zeros(2), 0.5)]
    )
    assert both.item() == pytest.approx(-math.log(0.75) + math.log(2))


def test_kl_of_a_known_gaussian_is_the_closed_form():
    model = narrow.build(
        generator=dict(motion_encoder=narrow.NARROW["Conv3dEncoder"], motion_generator=narrow.NARROW["LstmUnroll"])
    )
    context = context_of(model)
    motion = context.encoded("reconstruct")
    wanted = torch.distributions.Normal(motion.mean, (0.5 * motion.log_variance).exp())
    expected = torch.distributions.kl_divergence(wanted, torch.distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
    assert KlLoss()(context).item() == pytest.approx(expected.item(), rel=1e-5)


def test_mask_loss_reads_the_mask_of_true_frames_and_says_so_where_there_is_none():
    model = narrow.build(generator=dict(head=narrow.NARROW["ResidualHead"]))
    context = context_of(model, narrow.batch(lengths=(6, 4)))
    first, second = context.generated("reconstruct").mask  # (1, T, H, W) each
    expected = torch.cat([first, second[:, :4]], dim=1).mean().item()
    assert expected != pytest.approx(torch.cat([first, second], dim=1).mean().item(), rel=1e-5)
    assert MaskSparsityLoss()(context).item() == pytest.approx(expected, rel=1e-6)
    clips = SimpleNamespace(num_frames=None)
    mask = torch.tensor([9.0, 0.25, 0.75]).view(1, 1, 3, 1, 1).expand(2, 1, 3, 4, 4)  # the first frame is given
    rollout = SimpleNamespace(generated=lambda name: SimpleNamespace(mask=mask, given=1, motion=clips))
    assert MaskSparsityLoss()(rollout).item() == pytest.approx(0.5)
    with pytest.raises(ConfigError, match="ResidualHead"):
        MaskSparsityLoss().check(narrow.build())


def test_weight_schedule_is_linear_between_and_constant_outside():
    loss = Loss(name="x", weight=[(10, 1.0), (20, 3.0)])
    assert [loss.weight_at(i) for i in (0, 10, 15, 20, 99)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    with pytest.raises(ConfigError, match="ascending"):
        Loss(name="x", weight=[(5, 1.0), (5, 2.0)])


def test_a_loss_is_left_out_while_its_schedule_is_at_zero_and_then_its_phase_too():
    late, measured = Loss(name="late", weight=[(5, 0.0), (6, 1.0)]), Loss(name="measured", weight=0.0)
    assert [late.runs_at(i) for i in (0, 5, 6, 9)] == [False, False, True, True] and measured.runs_at(0)
    phase = type(narrow.build().phases[0])("p", ("generator",), (late, measured))
    assert phase.losses_at(0) == [measured] and phase.losses_at(6) == [late, measured]
    assert not type(phase)("p", ("generator",), (late,)).runs_at(5)


def test_phases_run_every_nth_step_and_within_their_span():
    model = narrow.build()
    phase = model.phases[0]
    thinned = type(phase)("p", phase.updates, phase.losses, every=3, begin=2, end=9)
    assert [i for i in range(12) if thinned.runs_at(i)] == [2, 5, 8]


def test_wrong_label_negatives_weigh_what_is_asked():
    discriminators = dict(video=narrow.discriminator("VideoDiscriminator", "WholeClip", condition="label"))
    phases = dict(
        c=dict(
            updates=["discriminators.video"],
            losses=dict(video_discriminator=dict(type=DiscriminatorLoss, discriminator="video", wrong_label=0.5)),
        ),
        g=dict(
            updates=["generator"],
            losses=dict(
                video_adversarial=dict(type=AdversarialLoss, discriminator="video"), frame_l1=dict(type=FrameL1Loss)
            ),
        ),
    )
    model = narrow.build(discriminators=discriminators, phases=phases)
    for parameter in model.discriminators.parameters():
        torch.nn.init.zeros_(parameter)
    log = model.train_step(narrow.batch(lengths=(6, 6)), narrow.optimizers(model))
    assert log["video_discriminator"].item() == pytest.approx(2 * math.log(2), rel=1e-5)  # 1 + 1/2 + 1/2 times log 2


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            dict(phases=dict(p=dict(updates=["nowhere"], losses=dict(frame_l1=dict(type=FrameL1Loss))))),
            "no part 'nowhere'",
        ),
        (
            dict(
                phases=dict(p=dict(updates=["generator"], losses=dict(frame_l1=dict(type=FrameL1Loss, pass_name="x"))))
            ),
            "'x'",
        ),
        (
            dict(
                phases=dict(
                    p=dict(
                        updates=["generator"], losses=dict(x_adversarial=dict(type=AdversarialLoss, discriminator="x"))
                    )
                )
            ),
            "'x'",
        ),
        (dict(phases=dict(p=dict(losses={}, updats=[]))), "unknown key 'updats'"),
        (dict(passes=dict(reconstruct=dict(motion="prior"))), "CnnLstmEncoder has none"),
        (dict(passes=dict(reconstruct=dict(content="elsewhere"))), "'elsewhere'"),
        (dict(frozen=["generator"]), "frozen"),
        (dict(discriminators=dict(frame=narrow.discriminator("FrameDiscriminator", "WholeClip"))), "judges frames"),
        (dict(generator=dict(decoder=narrow.NARROW["FrameDecoder"])), "FrameDecoder needs content.code"),
    ],
)
def test_configs_that_make_no_sense_are_refused_with_the_reason(changes, message):
    with pytest.raises(ConfigError, match=message):
        narrow.build(**changes)


def test_clip_of_another_size_is_refused():
    data = narrow.batch()
    data["inputs"]["driving"] = [video[:, :, ::2, ::2] for video in data["inputs"]["driving"]]
    model = narrow.build()
    with pytest.raises(ConfigError, match="built for 32x32 and got clips of 16x16"):
        model.train_step(data, narrow.optimizers(model))


def test_target_passes_need_targets_and_use_them():
    passes = dict(reconstruct=dict(), transfer=dict(content="image", motion="driving", target="image_video"))
    phases = narrow.gan_config()["phases"]
    phases["discriminators"]["losses"]["frame_discriminator"] = dict(
        type=DiscriminatorLoss, discriminator="frame", passes=("reconstruct", "transfer")
    )
    model = narrow.build(passes=passes, phases=phases)
    with pytest.raises(ConfigError, match="reads an image video"):
        model.train_step(narrow.batch(), narrow.optimizers(model))
    model.train_step(narrow.batch(image_videos=True), narrow.optimizers(model))
    clip = model.data_preprocessor(narrow.batch(image_videos=True))["clip"]
    made = GanContext(model, clip, 0, ("transfer",), True).generated("transfer")
    assert torch.equal(made.content.image, clip.image_video[:, :, 0])


def test_every_loss_that_is_registered_is_exported():
    import i2vkit.models.losses as losses

    assert set(LOSSES.module_dict) <= set(losses.__all__)


def test_autocast_gives_nearly_the_same_losses():
    plain, mixed = narrow.build(), narrow.build(precision="bf16")
    a = plain.train_step(narrow.batch(), narrow.optimizers(plain))
    b = mixed.train_step(narrow.batch(), narrow.optimizers(mixed))
    assert a["frame_l1"].item() != b["frame_l1"].item()
    assert a["frame_l1"].item() == pytest.approx(b["frame_l1"].item(), rel=0.05)
    assert all(p.dtype == torch.float32 for p in mixed.parameters())


def test_draws_depend_on_the_seed_of_a_clip_and_not_on_its_batch():
    model = narrow.build().eval()
    with torch.no_grad():
        for parameter in model.generator.decoder.parameters():
            parameter.mul_(10)  # the first weights are small, and so is what the noise does to the video
    clip = model.data_preprocessor(narrow.batch(lengths=(4, 4)))["clip"]
    both = next(model.generate_chunks([clip], [7, 8])).video
    second = VideoBatch(clip.driving[1:], label=clip.label[1:])
    alone = next(model.generate_chunks([second], [8])).video
    other = next(model.generate_chunks([second], [9])).video
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert (other - alone).abs().max() > 0.01
    assert GenerationState([1]).normal(model, "x", (3,), like=alone).shape == (1, 3)


def test_labels_that_the_model_does_not_have_are_refused():
    model = narrow.build(labels=["a", "b"])
    with pytest.raises(ConfigError, match=r"2 labels \(a, b\), the data have the class indices \[0, 1, 2\]"):
        model.train_step(narrow.batch(lengths=(3, 3, 3)), narrow.optimizers(model))
