"""The contract of every registered discriminator network, view and adversarial loss, on narrow ones.

Samples that do not see each other, gradients, bf16, weights that come back, torch.export, and the logits of weights
that a formula makes (``golden_outputs.json``). ``I2VKIT_WRITE_GOLDEN=1 pytest
tests/models/test_discriminator_contracts.py -k golden`` writes these anew.
"""

import json
import os
from pathlib import Path

import narrow
import pytest
import torch
from mixing import names

from i2vkit.models.discriminators import ConditionedVideo
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.registry import ADVERSARIAL_LOSSES, DISCRIMINATORS, VIEWS, build_part
from i2vkit.structures import Motion

GOLDEN = Path(__file__).with_name("golden_outputs.json")
NETWORKS, VIEW_NAMES, CRITERIA = names(DISCRIMINATORS), names(VIEWS), names(ADVERSARIAL_LOSSES)
SHAPES = {"frames": (3, narrow.SIZE, narrow.SIZE), "clip": (3, 8, narrow.SIZE, narrow.SIZE), "vector": (10,)}
LABELS, MAPS = 3, 2


def wave(*shape: int) -> torch.Tensor:
    """Smooth numbers in [-1, 1], of which each row differs."""
    values = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(values * 0.37).mul(torch.cos(values * 0.011)).float().reshape(shape)


def build(name: str):
    """A network in eval mode with labels and, if it judges images, maps, and with weights that a formula makes."""
    sizes = dict(image_size=narrow.SIZE, label_size=LABELS, num_classes=0)
    kind = DISCRIMINATORS.get(name)
    is_vector = kind.sample_type == "vector"
    sizes |= dict(in_channels=SHAPES[kind.sample_type][0], map_channels=0 if is_vector else MAPS)
    network = build_part(DISCRIMINATORS, narrow.NARROW[name], **sizes).eval()
    with torch.no_grad():
        for number, (_, value) in enumerate(sorted(network.named_parameters())):
            value.copy_(wave(*value.shape) * (1.5 / max(1, value[0].numel()) ** 0.5) * (-1) ** number)
    return network


def given(network, count: int = 3) -> dict[str, torch.Tensor]:
    shape = list(SHAPES[network.sample_type])
    if network.sample_type == "clip" and type(network).__name__.endswith("PairDiscriminator"):
        shape[1] = 2
    inputs = dict(sample=wave(count, *shape), label=torch.eye(LABELS)[torch.arange(count) % LABELS])
    return inputs | ({} if network.sample_type == "vector" else dict(maps=wave(count, MAPS, *shape[1:]).flip(0)))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sample_does_not_see_the_others_of_its_batch(name):
    network = build(name)
    inputs = given(network)
    whole = network(**inputs)
    assert torch.isfinite(whole).all() and whole.std(dim=0).max() > 1e-5
    for number in range(3):
        alone = network(**{key: value[number : number + 1] for key, value in inputs.items()})
        torch.testing.assert_close(alone, whole[number : number + 1], rtol=3e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_and_the_sample_get_a_finite_gradient(name):
    network = build(name)
    inputs = given(network)
    inputs["sample"].requires_grad_()
    network(**inputs).square().sum().backward()
    gradients = {key: value.grad for key, value in network.named_parameters() if value.requires_grad}
    assert gradients and all(value is not None and torch.isfinite(value).all() for value in gradients.values())
    assert inputs["sample"].grad.flatten(1).abs().sum(dim=1).min() > 0  # the generator learns from each sample


@pytest.mark.parametrize("name", NETWORKS)
def test_label_and_maps_change_the_logits(name):
    network = build(name)
    inputs = given(network)
    logits = network(**inputs)
    for key in inputs.keys() - {"sample"}:
        assert (network(**(inputs | {key: inputs[key].roll(1, 0)})) - logits).abs().max() > 1e-5, key


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_come_back(name):
    network, other = build(name), build(name)
    with torch.no_grad():
        for value in other.parameters():
            value.mul_(0.5)
    inputs = given(network)
    expected = network(**inputs)
    assert not torch.equal(other(**inputs), expected)
    other.load_state_dict(network.state_dict(), strict=True)
    assert torch.equal(other(**inputs), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_bf16_gives_about_the_same_logits(name):
    network = build(name)
    expected = network(**given(network))
    with torch.autocast("cpu", torch.bfloat16):
        found = network(**given(network)).float()
    assert (found - expected).abs().max() < 0.02 + 0.1 * expected.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_golden_logits(name):
    network = build(name)
    logits = network(**given(network)).double().flatten()
    found = [logits.mean().item(), *logits[:: max(1, len(logits) // 5)][:5].tolist()]
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if os.environ.get("I2VKIT_WRITE_GOLDEN"):
        golden[f"discriminator {name}"] = [round(value, 6) for value in found]
        GOLDEN.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")
        return
    assert found == pytest.approx(golden[f"discriminator {name}"], rel=2e-3, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_torch_export_gives_the_same_logits(name):
    network = build(name).requires_grad_(False)
    inputs = given(network)
    exported = torch.export.export(network, (), inputs).module()
    other = {key: value.roll(1, 0) for key, value in inputs.items()}
    torch.testing.assert_close(exported(**other), network(**other), rtol=1e-4, atol=1e-5)


def conditioned(count: int = 3, length: int = 6) -> ConditionedVideo:
    """Clips of one number in each frame: 100 b + t. Their motion is 10 b + t, and their maps are 1000 more."""
    values = (100 * torch.arange(count)[:, None] + torch.arange(length)).float()  # (B, T)
    video = values[:, None, :, None, None].expand(-1, 3, -1, 16, 16)
    motion = (10 * torch.arange(count)[:, None] + torch.arange(length)).float()[..., None].expand(-1, -1, 5)
    return ConditionedVideo(
        video, None, lambda: Motion(motion.shape[1], trajectory=motion), video[:, :, 0], maps=video + 1000
    )


@pytest.mark.parametrize("name", VIEW_NAMES)
def test_a_view_shows_what_it_says_of_the_clip_that_it_names(name):
    view, seen = build_part(VIEWS, narrow.NARROW[name]), conditioned()
    index = view.sample_indices(seen)
    shown, clips = view.extract(seen, index), view.clip_index(seen, index)
    assert shown.ndim == {"frames": 4, "clip": 5, "vector": 2}[view.sample_type] and len(shown) == len(clips)
    assert shown.ndim != 5 or shown.shape[2] == (view.length or 6)
    values = shown.flatten(1)
    assert torch.equal(values.min(dim=1)[0].long() // (10 if view.encodes_motion else 100), clips)
    assert set(clips.tolist()) == {0, 1, 2}  # every clip is seen
    if not view.encodes_motion:
        assert torch.equal(view.gather(seen.maps, index), shown + 1000)  # maps at the same indices


@pytest.mark.parametrize("name", VIEW_NAMES)
def test_a_view_passes_gradients_to_the_video(name):
    view, seen = build_part(VIEWS, narrow.NARROW[name]), conditioned()
    video = seen.video.clone().requires_grad_()
    motion = video[:, 0, :, :1, 0]  # (B, T, 1), encoded from the video
    seen = ConditionedVideo(video, None, lambda: Motion(motion.shape[1], trajectory=motion), seen.image)
    view.extract(seen, view.sample_indices(seen)).sum().backward()
    assert (video.grad.flatten(1).sum(dim=1) > 0).all()


def logits(given: DiscriminatorInput) -> torch.Tensor:
    """A discriminator whose logits are the samples."""
    return given.sample


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_rewards_the_right_side(name):
    """A step along the gradient parts real from generated for the discriminator, and raises the generator's scores."""
    criterion = build_part(ADVERSARIAL_LOSSES, narrow.NARROW[name])
    real, fake = torch.tensor([[0.2], [-0.1]], requires_grad=True), torch.tensor([[0.1], [0.3]], requires_grad=True)
    loss = criterion.discriminator_loss(logits, DiscriminatorInput(real), [(DiscriminatorInput(fake), 1.0)])
    of_real, of_fake = torch.autograd.grad(loss, [real, fake])
    assert loss.ndim == 0 and (of_real < 0).all() and (of_fake > 0).all()
    doubled = criterion.discriminator_loss(logits, DiscriminatorInput(real), [(DiscriminatorInput(fake), 0.5)] * 2)
    assert doubled.item() == pytest.approx(loss.item(), rel=1e-5)  # weights of inputs add up
    loss = criterion.generator_loss(logits, DiscriminatorInput(fake), DiscriminatorInput(real))
    [of_fake] = torch.autograd.grad(loss, [fake])
    assert loss.ndim == 0 and (of_fake < 0).all()


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_does_not_depend_on_the_order_or_the_copies_of_a_batch(name):
    criterion = build_part(ADVERSARIAL_LOSSES, narrow.NARROW[name])
    real, fake = wave(4, 1), wave(4, 1).flip(0) * 2

    def losses(real, fake):
        return [
            criterion.discriminator_loss(logits, DiscriminatorInput(real), [(DiscriminatorInput(fake), 1.0)]).item(),
            criterion.generator_loss(logits, DiscriminatorInput(fake), DiscriminatorInput(real)).item(),
        ]

    expected = losses(real, fake)
    assert losses(real.roll(1, 0), fake.roll(1, 0)) == pytest.approx(expected, rel=1e-5)
    assert losses(real.repeat(2, 1), fake.repeat(2, 1)) == pytest.approx(expected, rel=1e-5)
    half = losses(real.bfloat16(), fake.bfloat16())
    assert half == pytest.approx(expected, abs=0.05)
