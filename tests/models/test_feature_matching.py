"""The losses of Monkey-Net, and a discriminator that is conditioned on learned points."""

from dataclasses import replace
from types import SimpleNamespace

import narrow
import pytest
import torch
from torch import nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import ConditionedVideo, PooledFrameDiscriminator
from i2vkit.models.discriminators.discriminator import DiscriminatorInput
from i2vkit.models.layers.points import heatmaps
from i2vkit.models.losses import (
    AdversarialLoss,
    BaseL1Loss,
    DiscriminatorLoss,
    FeatureMatchingLoss,
    FrameL1Loss,
    LeastSquaresLoss,
    MotionCycleLoss,
)
from i2vkit.models.training.context import GanContext
from i2vkit.structures import Points

GENERATOR = dict(
    content_encoder=narrow.NARROW["StageEncoder"],
    motion_encoder=narrow.NARROW["KeypointEncoder"],
    motion_generator=narrow.NARROW["DenseFlow"],
    decoder=narrow.NARROW["WarpedPyramidDecoder"],
)
FRAME = narrow.discriminator("PooledFrameDiscriminator", adversarial="LeastSquaresLoss", condition="points")


def model_of(network="PooledFrameDiscriminator", generator=GENERATOR, condition="points", **losses):
    losses = losses or dict(features=dict(type=FeatureMatchingLoss, discriminator="frame"))
    frame = narrow.discriminator(network, adversarial="LeastSquaresLoss", condition=condition)
    discriminators = dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"))
    return narrow.build(
        generator=generator,
        frozen=[],
        discriminators=dict(frame=frame),
        phases=dict(
            generator=dict(updates=["generator"], losses=losses),
            discriminators=dict(updates=["discriminators.frame"], losses=discriminators),
        ),
    )


def context_of(model, **own):
    clip = model.data_preprocessor(narrow.batch(lengths=(4, 4), **own), training=True)["clip"]
    return GanContext(model, clip, 0, ("reconstruct",), True)


def test_least_squares():
    scores = lambda disc_input: disc_input.sample  # noqa: E731
    real, one, two = (DiscriminatorInput(torch.tensor(values)) for values in ([[0.5], [2.0]], [[1.0]], [[3.0]]))
    loss = LeastSquaresLoss()
    assert loss.discriminator_loss(scores, real, [(one, 0.5), (two, 2.0)]).item() == pytest.approx(0.625 + 0.5 + 18)
    assert loss.generator_loss(scores, two).item() == 4


def test_the_base_alone_is_compared():
    real = torch.rand(2, 3, 4, 8, 8)
    made = SimpleNamespace(video=real + 9, base=real + 0.25, given=0)
    conditioned = SimpleNamespace(video=real, num_frames=torch.tensor([4, 2]))
    context = SimpleNamespace(generated=lambda name: made, real=lambda name: conditioned)
    assert BaseL1Loss()(context).item() == pytest.approx(0.25)
    made.base = real[:, :, :1]
    wanted = (real[:, :, :1] - real).abs()
    wanted = torch.cat([wanted[0], wanted[1, :, :2]], dim=1).mean()  # without the padding
    assert BaseL1Loss()(context).item() == pytest.approx(wanted.item(), rel=1e-5)
    made.given, made.video, conditioned.num_frames = 1, real, None
    made.base = real + torch.tensor([8.0, 1.0, 1.0, 1.0])[:, None, None]
    assert BaseL1Loss()(context).item() == pytest.approx(1.0)


def test_features_are_those_of_every_block():
    network = PooledFrameDiscriminator(3, 16, map_channels=2, widths=(4, 5))
    sample, maps = torch.rand(2, 3, 16, 16), torch.rand(2, 2, 16, 16)
    first, second = network.block_features(sample, maps=maps)
    assert torch.equal(first, network.blocks[0](torch.cat([sample, maps], dim=1)))
    assert (
        torch.equal(second, network.blocks[1](first)) and first.shape == (2, 4, 6, 6) and second.shape == (2, 5, 1, 1)
    )
    assert torch.equal(network(sample, maps=maps), network.to_score(second).flatten(1))
    assert not any(isinstance(layer, nn.InstanceNorm2d) for layer in network.blocks[0])
    with pytest.raises(ConfigError, match="cannot halve 8 pixels 2 times, as each block"):
        PooledFrameDiscriminator(3, 8, widths=(4, 4))


def test_the_discriminator_of_the_first_order_model():
    """Spectral norm of every convolution beside the instance norm, and a last block that keeps its size."""
    torch.manual_seed(0)
    network = PooledFrameDiscriminator(3, 16, widths=(4, 5), spectral=True, pool_last=False)
    sample = torch.rand(2, 3, 16, 16)
    for _ in range(200):  # each step of the power iteration comes nearer
        network(sample)
    network.eval()
    for layer in (network.blocks[0][0], network.blocks[1][0], network.to_score):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() == pytest.approx(1, abs=1e-3)
    first, second = network.block_features(sample)
    layer, norm = network.blocks[1][:2]
    expected = functional.conv2d(first, layer.weight, layer.bias)
    expected = functional.instance_norm(expected, weight=norm.weight, bias=norm.bias)
    assert first.shape == (2, 4, 6, 6) and torch.allclose(second, functional.leaky_relu(expected, 0.2), atol=1e-6)
    assert network(sample).shape == (2, 3 * 3)


@pytest.mark.parametrize("network", ["FrameDiscriminator", "ResidualFrameDiscriminator", "PooledFrameDiscriminator"])
def test_every_network_with_features_scores_by_its_last_ones(network):
    model = model_of(network, condition="label")
    discriminator = model.discriminators["frame"]
    sample, label = torch.rand(2, 3, narrow.SIZE, narrow.SIZE), torch.eye(3)[:2]
    features = discriminator.block_features(DiscriminatorInput(sample, label))
    assert torch.allclose(
        discriminator.network.to_score(features[-1]).flatten(1), discriminator(sample, label), atol=1e-6
    )
    assert len(features) >= 2


def test_feature_matching_is_a_weighted_sum_over_blocks():
    model = model_of()
    context = context_of(model)
    loss = FeatureMatchingLoss("frame", channel_weights=(10.0, 1.0))
    found = loss(context)
    made, clip = context.generated("reconstruct"), context.clip
    maps = heatmaps(made.motion.points["driving"], narrow.SIZE, narrow.SIZE).flatten(0, 1)
    network = model.discriminators["frame"].network
    total = 0.0
    both = [network.block_features(v.transpose(1, 2).flatten(0, 1), maps=maps) for v in (made.video, clip.driving)]
    for weight, one, other in zip((10.0, 1.0), *both, strict=True):
        total = total + weight * (one - other).abs().mean()
    assert torch.allclose(found, total, rtol=1e-4)
    # The gradient reaches the points through the features of both videos.
    weight = model.generator.motion_encoder.to_maps.weight
    slopes = [torch.autograd.grad(value, weight, retain_graph=True)[0] for value in (found, total)]
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-6) and slopes[0].abs().max() > 1e-5
    with pytest.raises(ConfigError, match="has 1 channel_weights, and discriminator 'frame' has 2 blocks"):
        FeatureMatchingLoss("frame", channel_weights=(1.0,))(context)
    with pytest.raises(ConfigError, match="ProjectedFrameDiscriminator gives none"):
        model_of("ProjectedFrameDiscriminator", condition=None)


def test_points_have_their_graph_in_the_generators_losses_alone():
    model = model_of()
    context = context_of(model)
    discriminator, encoder = model.discriminators["frame"], model.generator.motion_encoder
    view = discriminator.view
    fake, cut, real = context.fake("reconstruct"), context.fake("reconstruct", detach=True), context.real("reconstruct")
    assert fake.points.place.requires_grad and not cut.points.place.requires_grad
    assert not real.points.place.requires_grad and torch.equal(real.points.place, fake.points.place)
    seen = discriminator.prepare_input(fake, view, None)
    assert torch.allclose(seen.maps.sum(dim=(2, 3)), torch.ones(8, 3), atol=1e-4)
    assert seen.maps.requires_grad and not seen.detach().maps.requires_grad
    # The features of the real video depend on the points through the condition.
    shown = discriminator.prepare_input(replace(real, points=fake.points), view, None)
    [*_, last] = discriminator.block_features(shown)
    gradients = torch.autograd.grad(last.square().sum(), list(encoder.parameters()))
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_points_need_an_encoder_and_as_many_frames():
    plain = GENERATOR | dict(motion_encoder=narrow.NARROW["CnnLstmEncoder"], motion_generator=None)
    with pytest.raises(ConfigError, match='conditioned on "points", which this model does not have'):
        model_of(generator=plain, condition="points")
    model = model_of()
    discriminator = model.discriminators["frame"]
    clip = torch.zeros(1, 3, 5, 32, 32)
    wrong = ConditionedVideo(clip, None, None, clip[:, :, 0], points=Points(torch.zeros(1, 4, 3, 2)))
    with pytest.raises(ConfigError, match='"points" of 4 driving frames, and is shown a video of 5'):
        discriminator.prepare_input(wrong, discriminator.view, None)


def test_a_step_trains_every_part():
    losses = dict(
        frame_l1=dict(type=FrameL1Loss, weight=5.0),
        base_l1=dict(type=BaseL1Loss, weight=5.0),
        features=dict(type=FeatureMatchingLoss, discriminator="frame"),
        points=dict(type=MotionCycleLoss),
        adversarial=dict(type=AdversarialLoss, discriminator="frame"),
    )
    model = model_of(**losses)
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizers = narrow.optimizers(model, lr=1e-2)
    for _ in range(2):  # the last layer of the dense flow starts at 0
        log = model.train_step(narrow.batch(lengths=(4, 4)), optimizers)
    assert set(losses) <= set(log)
    still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    # A bias before a norm has no effect.
    assert [name for name in still if not name.endswith(".0.bias")] == []


def test_points_are_compared_by_their_places():
    model = model_of()
    context = context_of(model)
    made, again = context.encoded("reconstruct"), context.reencoded("reconstruct")
    wanted = (made.points["driving"].place - again.points["driving"].place).abs().mean()
    assert torch.allclose(MotionCycleLoss()(context), wanted) and wanted > 0
