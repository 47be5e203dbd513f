"""Micro-batches and checkpointing: the losses, gradients and statistics of a discriminator that judges all at once."""

import copy

import pytest
import torch
from narrow import NARROW, SIZE, batch, build, discriminator, optimizers

from i2vkit.analysis.profile import dry_training
from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.discriminator import Discriminator, DiscriminatorInput
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss, FrameL1Loss
from i2vkit.models.training.micro_batches import loss_in_micro_batches
from i2vkit.registry import MODELS, build_part
from i2vkit.structures import Spec

N = 5
LABELS = torch.eye(3)[[0, 1, 2, 0, 1]]
# Network and its arguments, adversarial loss, condition.
KINDS = {
    "penalty, maps, frames": ("ResidualFrameDiscriminator", {}, "WassersteinLoss", "maps"),
    "penalty, maps, clips": ("ResidualVideoDiscriminator", {}, "WassersteinLoss", "maps"),
    "spectral norm, labels": ("VideoDiscriminator", dict(norm="spectral"), "NonSaturatingLoss", "label"),
    "spectral norm, penalty": ("FrameDiscriminator", dict(norm="spectral"), "WassersteinLoss", None),
    "vectors": ("VectorDiscriminator", {}, "NonSaturatingLoss", None),
}


WITH_BATCH_NORM = {
    "batch norm, frames": ("FrameDiscriminator", {}, "NonSaturatingLoss", None),
    "batch norm, labels": ("VideoDiscriminator", {}, "NonSaturatingLoss", "label"),
    "batch norm, penalty": ("VideoDiscriminator", {}, "WassersteinLoss", "maps"),
}
PLAIN = {kind: settings for kind, settings in KINDS.items() if "spectral" not in kind}


def two_discriminators(kind: str, **own) -> tuple[Discriminator, Discriminator]:
    """The same weights, without and with what saves memory."""
    network, arguments, adversarial, condition = (KINDS | WITH_BATCH_NORM)[kind]
    views = dict(ResidualVideoDiscriminator="WholeClip", VideoDiscriminator="WholeClip")
    settings = discriminator(network, views.get(network, "AllFrames"), adversarial, condition=condition)
    if network == "VectorDiscriminator":
        settings["view"] = NARROW["LastDynamics"]
    settings["network"] = settings["network"] | arguments
    given = dict(image_size=SIZE, motion=Spec(trajectory=6), num_labels=3, map_channels=2)
    torch.manual_seed(0)
    whole = build_part(MODELS, dict(type=Discriminator, **settings), **given)
    saving = build_part(MODELS, dict(type=Discriminator, **settings, **own), **given)
    saving.load_state_dict(whole.state_dict())
    return whole, saving


def disc_input(kind: str, seed: int) -> DiscriminatorInput:
    network, _, _, condition = (KINDS | WITH_BATCH_NORM)[kind]
    torch.manual_seed(seed)
    sides = {"VectorDiscriminator": (), "FrameDiscriminator": (SIZE,) * 2, "ResidualFrameDiscriminator": (SIZE,) * 2}
    sides = sides.get(network, (4, SIZE, SIZE))
    sample = torch.randn(N, 3 if sides else 6, *sides)
    label = LABELS.roll(seed, dims=0) if condition == "label" else None
    return DiscriminatorInput(sample, label, torch.randn(N, 2, *sides) if condition == "maps" else None)


def assert_close(found: torch.Tensor | None, expected: torch.Tensor | None) -> None:
    if expected is None:
        assert found is None
    else:
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-6 * max(1.0, float(expected.abs().max())))


@pytest.fixture(autouse=True)
def mixtures_by_halves(monkeypatch):
    """Where a penalty looks between real and generated samples is drawn for every micro-batch, in another order."""
    monkeypatch.setattr(torch, "rand", lambda *shape, **own: torch.full(shape, 0.5, device=own.get("device")))


def assert_same_discriminator_loss(discriminators: tuple[Discriminator, Discriminator], kind: str) -> None:
    """Of real, generated and further samples; its gradients, and the buffers behind it."""
    real, fake = disc_input(kind, 1), disc_input(kind, 2)
    wrong = DiscriminatorInput(real.sample, LABELS.roll(1, dims=0)) if real.label is not None else disc_input(kind, 3)
    losses, gradients, buffers = [], [], []
    for judge in discriminators:
        loss = 3 * judge.discriminator_loss(real, [(fake, 0.75), (wrong, 0.25)])
        loss.backward()
        losses.append(loss.detach())
        gradients.append({name: parameter.grad for name, parameter in judge.named_parameters()})
        buffers.append(dict(judge.named_buffers()))
    assert_close(losses[1], losses[0])
    for name, expected in gradients[0].items():
        assert_close(gradients[1][name], expected)
    # One power iteration of spectral norm, however many micro-batches; one update of batch norms' statistics an input.
    for name, expected in buffers[0].items():
        assert_close(buffers[1][name], expected)


def assert_same_generator_loss(discriminators: tuple[Discriminator, Discriminator], kind: str) -> None:
    """With its gradient by what made the sample."""
    results = []
    for judge in discriminators:
        judge.requires_grad_(False)
        made, scale = disc_input(kind, 2), torch.tensor(0.5, requires_grad=True)
        loss = judge.generator_loss(DiscriminatorInput(made.sample * scale, made.label, made.maps))
        results.append((loss.detach(), torch.autograd.grad(2 * loss, scale)[0]))
    for found, expected in zip(results[1], results[0], strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_by_micro_batches(kind):
    """Five samples, two at a time."""
    assert_same_discriminator_loss(two_discriminators(kind, micro_batch=2), kind)
    assert_same_generator_loss(two_discriminators(kind, micro_batch=2), kind)


@pytest.mark.parametrize("kind", PLAIN | WITH_BATCH_NORM)
def test_losses_with_checkpointing(kind):
    assert_same_discriminator_loss(two_discriminators(kind, checkpointing=True), kind)
    assert_same_generator_loss(two_discriminators(kind, checkpointing=True), kind)


def test_classes_with_checkpointing():
    results = []
    for own in ({}, dict(checkpointing=True)):
        model = build(discriminators=dict(frame=discriminator(classify=True, **own)), phases={})
        sample = torch.linspace(-1, 1, 4 * 3 * SIZE**2).reshape(4, 3, SIZE, SIZE)
        logits = model.discriminators["frame"].classify(DiscriminatorInput(sample))
        logits.square().sum().backward()
        results.append([logits.detach(), *(p.grad for p in model.discriminators["frame"].parameters())])
    for found, expected in zip(results[1], results[0], strict=True):
        assert_close(found, expected)


def test_without_gradients_there_is_a_number():
    for judge in two_discriminators("penalty, maps, frames", micro_batch=2):
        judge.requires_grad_(False)
        with torch.no_grad():
            assert not judge.generator_loss(disc_input("penalty, maps, frames", 1)).requires_grad
        assert not judge.generator_loss(disc_input("penalty, maps, frames", 1)).requires_grad


def test_samples_of_other_numbers_are_judged_as_a_whole():
    """The shares of a micro-batch would differ: six and four samples."""
    sizes = []

    def term(one: DiscriminatorInput, other: DiscriminatorInput) -> torch.Tensor:
        sizes.append((len(one.sample), len(other.sample)))
        return one.sample.mean() + other.sample.mean()

    one, other = torch.arange(6.0, requires_grad=True), torch.arange(4.0)
    assert loss_in_micro_batches(term, [DiscriminatorInput(one), DiscriminatorInput(other)], 2, []) == 2.5 + 1.5
    assert loss_in_micro_batches(term, [DiscriminatorInput(one), DiscriminatorInput(one)], 4, []) == 5
    assert sizes == [(6, 4), (4, 4), (2, 2)]


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match=r"FrameDiscriminator has batch norm.* take checkpointing"):
        build(discriminators=dict(frame=discriminator(micro_batch=2)), phases={})
    spectral = dict(frame=discriminator(checkpointing=True))
    spectral["frame"]["network"] = spectral["frame"]["network"] | dict(norm="spectral")
    with pytest.raises(ConfigError, match=r"FrameDiscriminator has spectral norm.* take micro_batch"):
        build(discriminators=spectral, phases={})
    with pytest.raises(ConfigError, match="micro_batch is 0, but takes a whole number from 1"):
        build(discriminators=dict(frame=discriminator("ResidualFrameDiscriminator", micro_batch=0)), phases={})


def frgan(**own):
    """A narrow stage two, with a discriminator of frames and one of clips; ``own`` is for the latter."""
    generator = dict(
        content_encoder=NARROW["ResidualPyramidEncoder"],
        motion_encoder=NARROW["MapDifferenceEncoder"],
        decoder=NARROW["DenseDecoder"],
        head=NARROW["ResidualHead"],
        refiner=NARROW["VolumeRefiner"],
    )
    discriminators = dict(
        video=discriminator("ResidualVideoDiscriminator", "WholeClip", "WassersteinLoss", condition="maps", **own),
        frame=discriminator("ResidualFrameDiscriminator", "RandomFrames", "WassersteinLoss", condition="maps"),
    )
    names = list(discriminators)
    losses = {f"{name}_discriminator": dict(type=DiscriminatorLoss, discriminator=name) for name in names}
    adversarial = {f"{name}_adversarial": dict(type=AdversarialLoss, discriminator=name) for name in names}
    phases = dict(
        discriminators=dict(updates=["discriminators"], losses=losses),
        generator=dict(updates=["generator.refiner"], losses=dict(frame_l1=dict(type=FrameL1Loss), **adversarial)),
    )
    frozen = [f"generator.{part}" for part in ("content_encoder", "motion_encoder", "decoder")]
    return build(generator=generator, discriminators=discriminators, phases=phases, frozen=frozen)


def test_a_training_step_is_the_same():
    data = batch((8,) * 5)
    logs, weights = [], []
    for own in ({}, dict(micro_batch=3)):
        model = frgan(**own)
        steps = optimizers(model)
        logs.append([model.train_step(copy.deepcopy(data), steps) for _ in range(2)])
        weights.append(model.state_dict())
    for found, expected in zip(logs[1], logs[0], strict=True):
        assert found.keys() == expected.keys()
        assert all(float(found[name]) == pytest.approx(float(expected[name]), rel=1e-3) for name in found)
    # Adam moves every weight by about the learning rate (2e-4) a step, whatever its gradient.
    assert all(torch.allclose(weights[1][name], weights[0][name], atol=1e-4) for name in weights[0])


def test_the_memory_is_that_of_a_few_samples():
    """By micro-batches nothing is computed twice; with checkpointing every input is."""
    settings = dict(constructor="PhaseOptimWrapperConstructor", optimizer=dict(type="Adam", lr=1e-4))
    rows = []
    for own in ({}, dict(micro_batch=2), dict(checkpointing=True)):
        made, _ = dry_training(frgan(**own).to("meta"), settings, 8, 8)
        rows.append(next(row for row in made if row.name == "phase discriminators"))
    whole, parts, again = rows
    assert parts.peak_bytes < whole.peak_bytes / 2
    assert parts.macs == pytest.approx(whole.macs, rel=0.02)  # kernels are merged once a micro-batch
    assert again.peak_bytes < 0.7 * whole.peak_bytes and 1.2 * whole.macs < again.macs < 1.5 * whole.macs
