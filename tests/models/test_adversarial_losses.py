"""Hinge and relativistic losses and gradient penalties, by closed forms."""

import math

import narrow
import pytest
import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import Look
from i2vkit.models.losses import AdversarialLoss, CriticLoss, GradientPenaltyLoss, HingeLoss, RelativisticLoss
from i2vkit.models.losses.adversarial_losses import squared_gradients
from i2vkit.models.training.context import GanContext


def identity(scores):
    return scores


def test_hinge_loss_of_known_logits():
    loss, real = HingeLoss(), torch.tensor([2.0, 0.5, -1.0])
    fakes = [(torch.tensor([-3.0, 0.0]), 0.5), (torch.tensor([1.0]), 0.25)]
    # max(0, 1 - r): 0, 0.5, 2; max(0, 1 + f): 0, 1 and 2
    assert loss.critic_loss(identity, real, fakes).item() == pytest.approx(2.5 / 3 + 0.5 * 0.5 + 0.25 * 2)
    assert loss.generator_loss(identity, torch.tensor([-3.0, 1.0])).item() == pytest.approx(1.0)


def test_relativistic_loss_of_known_logits():
    loss, real, fake = RelativisticLoss(), torch.tensor([1.0, 0.0]), torch.tensor([1.0, math.log(3)])
    # differences 0 and ln 3: log(1 + e^d) is ln 2 and ln 4, log(1 + e^-d) is ln 2 and ln 4/3
    critic = (math.log(2) + math.log(4)) / 2
    assert loss.critic_loss(identity, real, [(fake, 1.0)]).item() == pytest.approx(critic)
    assert loss.critic_loss(identity, real, [(fake, 0.5), (real, 0.25)]).item() == pytest.approx(
        0.5 * critic + 0.25 * math.log(2)
    )
    assert loss.generator_loss(identity, fake, real).item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    for shift in (-7.0, 3.0):  # only differences count
        moved = loss.critic_loss(identity, real + shift, [(fake + shift, 1.0)]).item()
        assert moved == pytest.approx(critic, rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 2, 4, 4), (3, 2, 5, 4, 4)])
def test_squared_gradients_of_a_linear_and_of_a_quadratic_score(shape):
    weight = torch.randn(shape[1:], requires_grad=True)
    look = Look(torch.randn(shape))

    def linear(look):
        return (look.sample * weight).flatten(1).sum(dim=1)

    found = squared_gradients(linear, look)
    torch.testing.assert_close(found, weight.square().sum().expand(3), rtol=1e-5, atol=1e-5)
    found.mean().backward()
    torch.testing.assert_close(weight.grad, 2 * weight.detach())
    found = squared_gradients(lambda look: look.sample.square().sum(dim=(-1, -2)), look)  # logits (N, 2) or (N, 2, 5)
    logits = look.sample.flatten(1).shape[1] / 16
    wanted = (2 * look.sample / logits).square().flatten(1).sum(dim=1)
    torch.testing.assert_close(found, wanted)
    assert not look.sample.requires_grad


def test_squared_gradients_count_condition_maps_and_run_in_full_precision():
    look = Look(torch.randn(2, 3, 4, 4), torch.ones(2, 5), torch.randn(2, 1, 4, 4))
    layer = nn.Conv2d(4, 1, 4)

    def score(look):
        value = layer(torch.cat([look.sample, look.maps], dim=1)).flatten(1)
        assert value.dtype == torch.float32
        return value * look.label[:, :1]

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = squared_gradients(score, look)
    torch.testing.assert_close(found, layer.weight.square().sum().expand(2), rtol=1e-6, atol=0)


class Linear(nn.Module):
    """Scores frames by one weight a pixel."""

    kind = "frames"

    def __init__(self, in_channels: int, image_size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_channels, image_size, image_size))

    def forward(self, sample, label=None, maps=None):
        return (sample * self.weight).flatten(1).sum(dim=1, keepdim=True)


def model_with(adversarial="RelativisticLoss", penalties=None, phase=None, **critic):
    """Narrow DTGAN with one critic, ``penalties`` beside its loss."""
    losses = dict(
        frame_critic=dict(type=CriticLoss, critic="frame"),
        **{name: dict(type=GradientPenaltyLoss, **own) for name, own in (penalties or {}).items()},
    )
    return narrow.build(
        critics=dict(frame=narrow.critic(adversarial=adversarial, **critic)),
        phases=dict(
            critics=dict(updates=["critics.frame"], losses=losses, **(phase or {})),
            generator=dict(
                updates=["generator"], losses=dict(frame_adversarial=dict(type=AdversarialLoss, critic="frame"))
            ),
        ),
    )


def context_of(model) -> GanContext:
    clip = model.data_preprocessor(narrow.batch())["clip"]
    return GanContext(model, clip, 0, tuple(model.passes), with_gradients=True)


def test_r1_and_r2_of_a_linear_critic_are_half_its_squared_weight():
    model = model_with(penalties=dict(r1=dict(critic="frame"), both=dict(critic="frame", at=("real", "generated"))))
    critic = model.critics["frame"]
    critic.network = Linear(3, narrow.SIZE)
    context = context_of(model)
    _, r1, both = model.phases[0].losses
    norm = critic.network.weight.square().sum().item()
    assert r1(context).item() == pytest.approx(norm / 2, rel=1e-5)
    assert both(context).item() == pytest.approx(norm, rel=1e-5)
    r1(context).backward()
    torch.testing.assert_close(critic.network.weight.grad, critic.network.weight.detach())
    assert all(p.grad is None for p in model.generator.parameters())


def test_r1_looks_at_real_frames_and_r2_at_generated_ones():
    model = model_with(penalties=dict(r1=dict(critic="frame"), r2=dict(critic="frame", at="generated")))
    critic = model.critics["frame"]

    class Square(Linear):
        def forward(self, sample, label=None, maps=None):
            return sample.square().flatten(1).sum(dim=1, keepdim=True)

    critic.network = Square(3, narrow.SIZE)
    context = context_of(model)
    _, r1, r2 = model.phases[0].losses
    for loss, footage in ((r1, context.real("reconstruct")), (r2, context.fake("reconstruct", detach=True))):
        frames = critic.view.look(footage, critic.view.draw(context.real("reconstruct")))
        wanted = 2 * frames.square().flatten(1).sum(dim=1).mean()
        assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_lazy_penalty_runs_every_kth_time_and_weighs_k_times():
    model = model_with(
        penalties=dict(frame_penalty=dict(critic="frame", every=4, weight=[(0, 0.0), (7, 0.5)])),
        phase=dict(begin=3, every=2),
    )
    [critic, penalty] = model.phases[0].losses
    runs = [i for i in range(30) if model.phases[0].runs_at(i) and penalty in model.phases[0].losses_at(i)]
    assert runs == [3, 11, 19, 27]
    assert penalty.weight_at(11) == 2.0 and critic.weight_at(11) == 1.0


def test_a_step_with_everything_updates_the_critic_and_logs_the_penalty_unweighted():
    model = model_with(
        penalties=dict(frame_penalty=dict(critic="frame", at=("real", "generated"), every=2, weight=3.0)),
        condition="maps",
    )
    before = [p.clone() for p in model.critics.parameters()]
    log = model.train_step(narrow.batch(), narrow.optimizers(model))
    assert log["critics_total"].item() == pytest.approx(
        log["frame_critic"].item() + 6 * log["frame_penalty"].item(), rel=1e-5
    )
    assert any(not torch.equal(old, new) for old, new in zip(before, model.critics.parameters(), strict=True))


def test_the_relativistic_generator_sees_the_real_frames_of_its_own_clip():
    model = model_with()
    context = context_of(model)
    critic, loss = model.critics["frame"].eval(), model.phases[1].losses[0]
    index = critic.view.draw(context.real("reconstruct"))
    real, fake = (
        critic(critic.view.look(footage, index))
        for footage in (context.real("reconstruct"), context.fake("reconstruct"))
    )
    wanted = nn.functional.softplus(real - fake).mean()
    assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)
    loss(context).backward()
    assert all(p.grad is not None for p in model.generator.decoder.parameters())


def test_a_still_image_may_be_what_is_real():
    model = model_with()
    context = context_of(model)
    critic, loss = model.critics["frame"].eval(), AdversarialLoss("frame", real_static=True)
    loss.check(model)
    real = context.real("reconstruct")
    index = critic.view.draw(real)
    static = critic(real.image)[critic.view.owners(real, index)]
    wanted = nn.functional.softplus(static - critic(critic.view.look(context.fake("reconstruct"), index))).mean()
    assert loss(context).item() == pytest.approx(wanted.item(), rel=1e-5)
    with pytest.raises(ConfigError, match="NonSaturatingLoss compares generated footage with nothing"):
        loss.check(model_with("NonSaturatingLoss"))


@pytest.mark.parametrize(
    "own, message",
    [
        (dict(critic="frame", at="between"), "taken at 'real' or 'generated'"),
        (dict(critic="frame", every=0), "not 0"),
        (dict(critic="clip"), "asks critic 'clip'"),
    ],
)
def test_penalties_that_make_no_sense_are_refused(own, message):
    with pytest.raises(ConfigError, match=message):
        model_with(penalties=dict(penalty=own))


def test_a_penalty_outside_of_its_critics_phase_is_refused():
    config = narrow.gan_config()
    config["phases"]["generator"]["losses"]["penalty"] = dict(type=GradientPenaltyLoss, critic="frame")
    with pytest.raises(ConfigError, match="phase 'generator' does not update it"):
        narrow.build(phases=config["phases"])
