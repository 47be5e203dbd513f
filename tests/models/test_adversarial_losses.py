"""Hinge and relativistic losses and gradient penalties, by closed forms."""

import math

import narrow
import pytest
import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.models.losses import (
    AdversarialLoss,
    DiscriminatorLoss,
    GradientPenaltyLoss,
    HingeLoss,
    RelativisticLoss,
    WassersteinLoss,
)
from i2vkit.models.losses.adversarial_losses import squared_gradient_norms
from i2vkit.models.training.context import GanContext


def identity(scores):
    return scores


def test_hinge_loss_of_known_logits():
    loss, real = HingeLoss(), torch.tensor([2.0, 0.5, -1.0])
    fakes = [(torch.tensor([-3.0, 0.0]), 0.5), (torch.tensor([1.0]), 0.25)]
    # max(0, 1 - r): 0, 0.5, 2; max(0, 1 + f): 0, 1 and 2
    assert loss.discriminator_loss(identity, real, fakes).item() == pytest.approx(2.5 / 3 + 0.5 * 0.5 + 0.25 * 2)
    assert loss.generator_loss(identity, torch.tensor([-3.0, 1.0])).item() == pytest.approx(1.0)


def test_relativistic_loss_of_known_logits():
    loss, real, fake = RelativisticLoss(), torch.tensor([1.0, 0.0]), torch.tensor([1.0, math.log(3)])
    # differences 0 and ln 3: log(1 + e^d) is ln 2 and ln 4, log(1 + e^-d) is ln 2 and ln 4/3
    discriminator = (math.log(2) + math.log(4)) / 2
    assert loss.discriminator_loss(identity, real, [(fake, 1.0)]).item() == pytest.approx(discriminator)
    assert loss.discriminator_loss(identity, real, [(fake, 0.5), (real, 0.25)]).item() == pytest.approx(
        0.5 * discriminator + 0.25 * math.log(2)
    )
    assert loss.generator_loss(identity, fake, real).item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    for shift in (-7.0, 3.0):  # only differences count
        moved = loss.discriminator_loss(identity, real + shift, [(fake + shift, 1.0)]).item()
        assert moved == pytest.approx(discriminator, rel=1e-5)


def test_wasserstein_penalty_lies_between_real_and_generated_samples():
    """The gradient of |x|^2 / 2 is x, whose length is 3 wherever both are one sample of length 3."""

    def score(disc_input):
        return disc_input.sample.square().flatten(1).sum(dim=1) / 2

    sample = DiscriminatorInput(torch.tensor([1.0, 2.0, 2.0]).view(1, 3, 1, 1).expand(4, 3, 1, 1))
    loss = WassersteinLoss(gradient_penalty=10.0).discriminator_loss(score, sample, [(sample, 1.0)])
    assert loss.item() == pytest.approx(10 * (3 - 1) ** 2, rel=1e-4)
    opposite = DiscriminatorInput(-sample.sample)  # between them lengths are 0 to 3, so the penalty is at most 4
    loss = WassersteinLoss(gradient_penalty=10.0).discriminator_loss(score, sample, [(opposite, 1.0)])
    assert 0 <= loss.item() < 10 * (3 - 1) ** 2


@pytest.mark.parametrize("shape", [(3, 2, 4, 4), (3, 2, 5, 4, 4)])
def test_squared_gradients_of_a_linear_and_of_a_quadratic_score(shape):
    weight = torch.randn(shape[1:], requires_grad=True)
    disc_input = DiscriminatorInput(torch.randn(shape))

    def linear(disc_input):
        return (disc_input.sample * weight).flatten(1).sum(dim=1)

    found = squared_gradient_norms(linear, disc_input)
    torch.testing.assert_close(found, weight.square().sum().expand(3), rtol=1e-5, atol=1e-5)
    found.mean().backward()
    torch.testing.assert_close(weight.grad, 2 * weight.detach())
    found = squared_gradient_norms(
        lambda disc_input: disc_input.sample.square().sum(dim=(-1, -2)), disc_input
    )  # logits (N, 2) or (N, 2, 5)
    logits = disc_input.sample.flatten(1).shape[1] / 16
    wanted = (2 * disc_input.sample / logits).square().flatten(1).sum(dim=1)
    torch.testing.assert_close(found, wanted)
    assert not disc_input.sample.requires_grad


def test_squared_gradients_count_condition_maps_and_run_in_full_precision():
    disc_input = DiscriminatorInput(torch.randn(2, 3, 4, 4), torch.ones(2, 5), torch.randn(2, 1, 4, 4))
    layer = nn.Conv2d(4, 1, 4)

    def score(disc_input):
        value = layer(torch.cat([disc_input.sample, disc_input.maps], dim=1)).flatten(1)
        assert value.dtype == torch.float32
        return value * disc_input.label[:, :1]

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = squared_gradient_norms(score, disc_input)
    torch.testing.assert_close(found, layer.weight.square().sum().expand(2), rtol=1e-6, atol=0)


class Linear(nn.Module):
    """Scores frames by one weight a pixel."""

    sample_type = "frames"

    def __init__(self, in_channels: int, image_size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_channels, image_size, image_size))

    def forward(self, sample, label=None, maps=None):
        return (sample * self.weight).flatten(1).sum(dim=1, keepdim=True)


def model_with(adversarial="RelativisticLoss", penalties=None, phase=None, **discriminator):
    """Narrow DTGAN with one discriminator, ``penalties`` beside its loss."""
    losses = dict(
        frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"),
        **{name: dict(type=GradientPenaltyLoss, **own) for name, own in (penalties or {}).items()},
    )
    return narrow.build(
        discriminators=dict(frame=narrow.discriminator(adversarial=adversarial, **discriminator)),
        phases=dict(
            discriminators=dict(updates=["discriminators.frame"], losses=losses, **(phase or {})),
            generator=dict(
                updates=["generator"], losses=dict(frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"))
            ),
        ),
    )


def context_of(model) -> GanContext:
    clip = model.data_preprocessor(narrow.batch())["clip"]
    return GanContext(model, clip, 0, tuple(model.passes), with_gradients=True)


def test_r1_and_r2_of_a_linear_discriminator_are_half_its_squared_weight():
    model = model_with(
        penalties=dict(r1=dict(discriminator="frame"), both=dict(discriminator="frame", at=("real", "generated")))
    )
    discriminator = model.discriminators["frame"]
    discriminator.network = Linear(3, narrow.SIZE)
    context = context_of(model)
    _, r1, both = model.phases[0].losses
    norm = discriminator.network.weight.square().sum().item()
    assert r1(context).item() == pytest.approx(norm / 2, rel=1e-5)
    assert both(context).item() == pytest.approx(norm, rel=1e-5)
    r1(context).backward()
    torch.testing.assert_close(discriminator.network.weight.grad, discriminator.network.weight.detach())
    assert all(p.grad is None for p in model.generator.parameters())


def test_r1_looks_at_real_frames_and_r2_at_generated_ones():
    model = model_with(penalties=dict(r1=dict(discriminator="frame"), r2=dict(discriminator="frame", at="generated")))
    discriminator = model.discriminators["frame"]

    class Square(Linear):
        def forward(self, sample, label=None, maps=None):
            return sample.square().flatten(1).sum(dim=1, keepdim=True)

    discriminator.network = Square(3, narrow.SIZE)
    context = context_of(model)
    _, r1, r2 = model.phases[0].losses
    for loss, conditioned in ((r1, context.real("reconstruct")), (r2, context.fake("reconstruct", detach=True))):
        frames = discriminator.view.extract(conditioned, discriminator.view.sample_indices(context.real("reconstruct")))
        wanted = 2 * frames.square().flatten(1).sum(dim=1).mean()
        assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_lazy_penalty_runs_every_kth_time_and_weighs_k_times():
    model = model_with(
        penalties=dict(frame_penalty=dict(discriminator="frame", every=4, weight=[(0, 0.0), (7, 0.5)])),
        phase=dict(begin=3, every=2),
    )
    [discriminator, penalty] = model.phases[0].losses
    runs = [i for i in range(30) if model.phases[0].runs_at(i) and penalty in model.phases[0].losses_at(i)]
    assert runs == [3, 11, 19, 27]
    assert penalty.weight_at(11) == 2.0 and discriminator.weight_at(11) == 1.0


def test_a_step_with_everything_updates_the_discriminator_and_logs_the_penalty_unweighted():
    model = model_with(
        penalties=dict(frame_penalty=dict(discriminator="frame", at=("real", "generated"), every=2, weight=3.0)),
        condition="maps",
    )
    before = [p.clone() for p in model.discriminators.parameters()]
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert log["discriminators_total"].item() == pytest.approx(
        log["frame_discriminator"].item() + 6 * log["frame_penalty"].item(), rel=1e-5
    )
    assert any(not torch.equal(old, new) for old, new in zip(before, model.discriminators.parameters(), strict=True))


def test_the_relativistic_generator_sees_the_real_frames_of_its_own_clip():
    model = model_with()
    context = context_of(model)
    discriminator, loss = model.discriminators["frame"].eval(), model.phases[1].losses[0]
    index = discriminator.view.sample_indices(context.real("reconstruct"))
    real, fake = (
        discriminator(discriminator.view.extract(conditioned, index))
        for conditioned in (context.real("reconstruct"), context.fake("reconstruct"))
    )
    wanted = nn.functional.softplus(real - fake).mean()
    assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)
    loss(context).backward()
    assert all(p.grad is not None for p in model.generator.decoder.parameters())


def test_a_still_image_may_be_what_is_real():
    model = model_with()
    context = context_of(model)
    discriminator, loss = model.discriminators["frame"].eval(), AdversarialLoss("frame", real_static=True)
    loss.check(model)
    real = context.real("reconstruct")
    index = discriminator.view.sample_indices(real)
    static = discriminator(real.image)[discriminator.view.clip_index(real, index)]
    wanted = nn.functional.softplus(
        static - discriminator(discriminator.view.extract(context.fake("reconstruct"), index))
    ).mean()
    assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)
    with pytest.raises(ConfigError, match="NonSaturatingLoss compares generated videos with nothing"):
        loss.check(model_with("NonSaturatingLoss"))


@pytest.mark.parametrize(
    "own, message",
    [
        (dict(discriminator="frame", at="between"), "taken at 'real' or 'generated'"),
        (dict(discriminator="frame", every=0), "every is 0, but takes a whole number from 1"),
        (dict(discriminator="clip"), "asks discriminator 'clip'"),
    ],
)
def test_penalties_that_make_no_sense_are_refused(own, message):
    with pytest.raises(ConfigError, match=message):
        model_with(penalties=dict(penalty=own))


def test_a_penalty_outside_of_its_discriminators_phase_is_refused():
    config = narrow.gan_config()
    config["phases"]["generator"]["losses"]["penalty"] = dict(type=GradientPenaltyLoss, discriminator="frame")
    with pytest.raises(ConfigError, match="phase 'generator' does not update it"):
        narrow.build(phases=config["phases"])
